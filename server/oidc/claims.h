// What a token says of its bearer, once it has been verified.
#ifndef JOBTAIL_SERVER_OIDC_CLAIMS_H_
#define JOBTAIL_SERVER_OIDC_CLAIMS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace jobtail::oidc {

struct Claims {
  std::string name = {};                 // with its prefix
  std::vector<std::string> groups = {};  // with theirs, sorted
  absl::Time expires = {};               // from when on it is worth nothing, leeway included
  std::vector<std::string> audiences = {};
  std::string authorized_party = {};  // "azp"; empty: there is none
  std::string nonce = {};             // empty: there is none
  std::string key = {};               // what has signed it: see Key::id
};

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_CLAIMS_H_
