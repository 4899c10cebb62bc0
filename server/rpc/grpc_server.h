// The grpc::Server that serves the gRPC door, and where its connections come from.
#ifndef JOBTAIL_SERVER_RPC_GRPC_SERVER_H_
#define JOBTAIL_SERVER_RPC_GRPC_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/access/access_control.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/admission.h"
#include "server/rpc/connection_limits.h"
#include "server/rpc/job_service.h"
#include "server/rpc/standard_services.h"
#include "server/tls/certificate_source.h"
#include "server/tls/unix_socket.h"

namespace jobtail {

struct GrpcServerOptions {
  std::vector<std::string> addresses = {};  // as Acceptor::Listen has them; one at least
  SocketAccess socket = {};
  ConnectionLimits limits = {};
  size_t quota_bytes = size_t{128} << 20;  // of gRPC's ResourceQuota
  // With them TLS alone is served, but for unix sockets; they outlive the server.
  CertificateSource* certificates = nullptr;
  // In place of the above, for all addresses.
  std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;
  // Who knows the callers, and outlives the server; null: nobody is asked.
  access::AccessControl* access = nullptr;
};

// Accepts connections itself, hands them to gRPC, and serves the JobService on them, besides
// StandardServices.
//
// Listen, Start, Stop and the destructor are the owner's, in this order; the rest is thread-safe.
class GrpcServer {
 public:
  // How long a client that has connected may take to speak HTTP/2, TLS included.
  static constexpr absl::Duration kHandshakeTime = absl::Seconds(20);

  explicit GrpcServer(GrpcServerOptions options);
  ~GrpcServer();

  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // Listens; clients wait until Start. Errors as Acceptor::Listen. What it listens at is free again
  // once this object is gone.
  absl::Status Listen();
  // Serves. UNAVAILABLE if gRPC does not start. `service` outlives the server, which has it tell of
  // calls and of their callers.
  absl::Status Start(JobService* service);
  // Accepts no more, and ends what is left of calls after `grace`. What the acceptor handed on
  // after gRPC's end would stay open.
  void Stop(absl::Duration grace);

  // As StandardServices.
  void SetServing(bool serving) { standard_.SetServing(serving); }
  void CheckRights() { standard_.CheckRights(); }

  Acceptor& acceptor() { return acceptor_; }
  const Acceptor& acceptor() const { return acceptor_; }

 private:
  std::shared_ptr<grpc::ServerCredentials> Credentials(bool is_unix) const;
  OnCallFunction CountCalls();
  OnAdmitFunction OwnConnections();
  void Take(const Acceptor::Handover& handover);

  const GrpcServerOptions options_;
  Acceptor acceptor_;
  StandardServices standard_;
  // Of gRPC's own, which the acceptor hands connections to.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> taker_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> unix_taker_;
  std::unique_ptr<grpc::Server> server_;  // null before Start
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_GRPC_SERVER_H_
