// The conversion of grpc::Status to absl::Status.
#ifndef JOBTAIL_CLIENT_GRPC_STATUS_H_
#define JOBTAIL_CLIENT_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace jobtail::client {

// The same status in Abseil's type: both number their codes alike.
inline absl::Status FromGrpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_GRPC_STATUS_H_
