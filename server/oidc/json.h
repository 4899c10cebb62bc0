// JSON objects of others, read strictly.
#ifndef JOBTAIL_SERVER_OIDC_JSON_H_
#define JOBTAIL_SERVER_OIDC_JSON_H_

#include <jansson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace jobtail::oidc {

struct JsonDeleter {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, JsonDeleter>;

// An object; null for anything else, for a member that is there twice, and for text that is not
// UTF-8 or has "\u0000".
Json ParseObject(std::string_view text);

// What base64url (RFC 7515, without "=") stands for; nothing if it is not that.
std::optional<std::string> DecodeBase64Url(std::string_view text);

// Of an object. Empty, or nothing, if there is no such member or it is of another type.
std::string StringAt(const Json& object, const std::string& name);
bool Has(const Json& object, const std::string& name);
// A text is a list of one. Nothing if it is there and is neither.
std::optional<std::vector<std::string>> ListAt(const Json& object, const std::string& name);
// Seconds since 1970, with or without a fraction.
std::optional<absl::Time> TimeAt(const Json& object, const std::string& name);

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_JSON_H_
