// What an issuer tells about itself.
#ifndef JOBTAIL_SERVER_OIDC_METADATA_H_
#define JOBTAIL_SERVER_OIDC_METADATA_H_

#include <string>

#include "absl/status/statusor.h"

namespace jobtail::oidc {

// Of OpenID Connect Discovery. Empty where there is no such endpoint.
struct Metadata {
  std::string jwks_uri;
  std::string authorization_endpoint;
  std::string token_endpoint;
  bool sends_secret_in_form = false;  // "client_secret_post", where "client_secret_basic" is not
                                      // to be had
  bool names_itself = false;          // in the answer of authorization_endpoint (RFC 9207)
};

// Where it is found.
std::string MetadataUrl(const std::string& issuer);

// INVALID_ARGUMENT if it is not of that issuer, or has an endpoint that CheckUrl refuses or that is
// not https where the issuer is.
absl::StatusOr<Metadata> ParseMetadata(const std::string& text, const std::string& issuer);

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_METADATA_H_
