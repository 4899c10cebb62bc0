// What --public-url says, in its parts.
#ifndef JOBTAIL_SERVER_HTTP_PARSE_PUBLIC_URL_H_
#define JOBTAIL_SERVER_HTTP_PARSE_PUBLIC_URL_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "server/http/public_url.h"

namespace jobtail::http {

// Of --public-url. INVALID_ARGUMENT for what is no such address: another scheme, a user, a query or
// a fragment.
absl::StatusOr<PublicUrl> ParsePublicUrl(std::string_view url);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_PARSE_PUBLIC_URL_H_
