// Errors, as gRPC says them.
#ifndef JOBTAIL_SERVER_RPC_STATUS_H_
#define JOBTAIL_SERVER_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace jobtail {

// The one place where the core's errors become gRPC's: same code, same message.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_STATUS_H_
