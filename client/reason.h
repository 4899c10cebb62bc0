#ifndef JOBTAIL_CLIENT_REASON_H_
#define JOBTAIL_CLIENT_REASON_H_

#include <string>

#include "absl/status/status.h"

namespace jobtail::client {

// The text of `status` for people: of gRPC's messages about a failed connection only the last and
// telling part, the code's name where there is no text.
std::string Reason(const absl::Status& status);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_REASON_H_
