// Whom a trusted proxy names in its headers.
#ifndef JOBTAIL_SERVER_ACCESS_TRUSTED_PROXY_H_
#define JOBTAIL_SERVER_ACCESS_TRUSTED_PROXY_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "jobtail/access/v1/access.pb.h"
#include "server/access/principal.h"

namespace jobtail::access {

// The values of one of a call's headers, in their order; `name` is in small letters.
using HeaderValues = std::function<std::vector<std::string>(const std::string& name)>;

// Whether a header may be the one in which a proxy names users: a header's name, in small letters,
// that means nothing else to either door.
bool IsHeaderForNames(std::string_view name);

// Who calls by way of the proxy, as its headers say; null if they name nobody. UNAUTHENTICATED for
// a name that is given twice or is none: a proxy that lets its clients' headers through.
absl::StatusOr<std::shared_ptr<const Principal>> NamedBy(const v1::TrustedProxy& proxy,
                                                         const HeaderValues& headers);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_TRUSTED_PROXY_H_
