// Reading /.well-known/openid-configuration.
#include "server/oidc/metadata.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/fetch/url.h"
#include "base/quoting.h"
#include "server/oidc/json.h"

namespace jobtail::oidc {
namespace {

absl::Status Take(const Json& json, const std::string& name, const std::string& issuer,
                  std::string* endpoint) {
  *endpoint = StringAt(json, name);
  if (endpoint->empty()) return absl::OkStatus();
  absl::Status right = CheckUrl(*endpoint);
  if (right.ok() && issuer.starts_with("https://") && !endpoint->starts_with("https://")) {
    right = absl::InvalidArgumentError(absl::StrCat(Quoted(*endpoint), " is not https"));
  }
  if (right.ok()) return right;
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", std::string(right.message())));
}

bool Lists(const Json& json, const std::string& name, const std::string& value) {
  const auto list = ListAt(json, name);
  return list && std::ranges::find(*list, value) != list->end();
}

}  // namespace

std::string MetadataUrl(const std::string& issuer) {
  return absl::StrCat(issuer, issuer.ends_with('/') ? "" : "/", ".well-known/openid-configuration");
}

absl::StatusOr<Metadata> ParseMetadata(const std::string& text, const std::string& issuer) {
  const Json json = ParseObject(text);
  if (!json) return absl::InvalidArgumentError("the issuer's configuration is no JSON object");
  if (StringAt(json, "issuer") != issuer) {
    return absl::InvalidArgumentError(absl::StrCat("the issuer calls itself ",
                                                   Quoted(StringAt(json, "issuer")),
                                                   ", not as the access file has it"));
  }
  Metadata metadata;
  for (const absl::Status& taken :
       {Take(json, "jwks_uri", issuer, &metadata.jwks_uri),
        Take(json, "authorization_endpoint", issuer, &metadata.authorization_endpoint),
        Take(json, "token_endpoint", issuer, &metadata.token_endpoint)}) {
    if (!taken.ok()) return taken;
  }
  static constexpr char kMethods[] = "token_endpoint_auth_methods_supported";
  metadata.sends_secret_in_form =
      Lists(json, kMethods, "client_secret_post") && !Lists(json, kMethods, "client_secret_basic");
  metadata.names_itself =
      json_is_true(json_object_get(json.get(), "authorization_response_iss_parameter_supported"));
  return metadata;
}

}  // namespace jobtail::oidc
