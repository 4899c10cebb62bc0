// Who makes a gRPC call, and whether it may be made at all.
#ifndef JOBTAIL_SERVER_RPC_ADMISSION_H_
#define JOBTAIL_SERVER_RPC_ADMISSION_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/access/access_control.h"
#include "server/rpc/handled_calls.h"
#include "server/tls/peer_identity.h"

namespace jobtail {

// Of one call; with more it is refused. As much as the cookies of a proxy may be.
inline constexpr size_t kMaxMetadataBytes = 64 << 10;

// Has each call tell who makes it, by its peer's name, and how many bytes it has, on gRPC's
// threads; who calls this keeps the result until gRPC is done with the call.
using OnCallFunction = std::function<HandledCalls::Call(const std::string& peer, size_t bytes)>;

// Has each call that was admitted tell whose it is, by its peer's name, before it is answered; an
// error ends it. May wait for the disk.
using OnAdmitFunction =
    std::function<absl::Status(const std::string& peer, const access::Caller& caller)>;

// What comes with a call, for as long as its context lives.
class CallCredentials {
 public:
  explicit CallCredentials(const grpc::CallbackServerContext& context);

  access::Credentials Get() const;

 private:
  const grpc::CallbackServerContext& context_;
  const PeerIdentity peer_;
  const std::string address_;
};

// Of a call's metadata, as HTTP/2 counts it: two lengths, in its words, for each name and value.
size_t MetadataBytesOf(const grpc::CallbackServerContext& context);
// RESOURCE_EXHAUSTED beyond kMaxMetadataBytes.
absl::Status CheckMetadata(size_t bytes);

// Who calls, as AccessControl::Admit, and whose the connection is then. May wait for the disk.
absl::StatusOr<access::Caller> Admit(access::AccessControl* access, const OnAdmitFunction& on_admit,
                                     const grpc::CallbackServerContext& context);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_ADMISSION_H_
