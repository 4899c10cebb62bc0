// Errors, as gRPC says them.
#ifndef JOBTAIL_SERVER_RPC_STATUS_H_
#define JOBTAIL_SERVER_RPC_STATUS_H_

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"

namespace jobtail {

// The one place where the core's errors become gRPC's: same code, same message.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Tells the client when to come back, if the error says so, in the way in which gRPC's clients
// understand it. Before the call is finished.
void AddRetryAfter(const absl::Status& status, grpc::CallbackServerContext* context);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_STATUS_H_
