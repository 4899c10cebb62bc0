// What the access file says about an issuer of tokens.
#ifndef JOBTAIL_SERVER_OIDC_SETTINGS_H_
#define JOBTAIL_SERVER_OIDC_SETTINGS_H_

#include <string>
#include <vector>

namespace jobtail::oidc {

// As the access file has it, checked, with what the files that it names have in them. A value.
struct Settings {
  std::string name = {};    // for people
  std::string issuer = {};  // its address, as in "iss"
  std::vector<std::string> audiences = {};
  std::vector<std::string> algorithms = {"RS256"};  // as in "alg"; what a key has no word on, the
                                                    // first that goes with it
  std::string keys = {};                            // JWKS; empty: they are fetched
  std::string name_prefix = "oidc:";
  std::string name_claim = "sub";
  std::string groups_claim = {};  // empty: no groups
  std::string groups_prefix = {};
  std::string client_id = {};  // empty: nobody signs in
  std::string client_secret = {};
  std::vector<std::string> scopes = {"openid"};
  std::string ca_file = {};

  bool operator==(const Settings&) const = default;
};

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_SETTINGS_H_
