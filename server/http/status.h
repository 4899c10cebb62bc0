// Errors, as HTTP says them.
#ifndef JOBTAIL_SERVER_HTTP_STATUS_H_
#define JOBTAIL_SERVER_HTTP_STATUS_H_

#include <string>

#include "absl/status/status.h"

namespace jobtail::http {

// The one place where the core's errors become HTTP's, as google.rpc.Code's comments say.
unsigned ToHttpStatus(absl::StatusCode code);

// The error as google.rpc.Status in JSON: {"code":5,"message":"..."}.
std::string ToJson(const absl::Status& status);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_STATUS_H_
