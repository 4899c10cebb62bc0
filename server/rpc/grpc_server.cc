// gRPC's settings, and connections that are handed to it.
#include "server/rpc/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/call_floods.h"
#include "server/rpc/tls_credentials.h"

namespace jobtail {
namespace {

// Above the engine's own limits, whose messages say more than gRPC's.
constexpr int kMaxRequestBytes = 2 << 20;

// Of one call. gRPC ends a connection with all its calls if a client sends much more although it
// has been told the limit. Well above the service's own, beyond which a call alone is refused.
constexpr int kMaxMetadataBytes = 4 * static_cast<int>(JobService::kMaxMetadataBytes);

// Pings tell of a peer that has vanished from a stream on which nothing is sent for a while;
// clients may send them this often, too.
void SetKeepalive(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
}

// The quota is the last resort, for what gRPC holds before anybody else knows of it, unfinished
// requests above all: beyond it gRPC cancels calls, whose it may be.
void SetLimits(size_t quota_bytes, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder->AddChannelArgument(
      GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
      static_cast<int>(absl::ToInt64Milliseconds(GrpcServer::kHandshakeTime)));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, CallFloods::kMostCalls);
  grpc::ResourceQuota quota("jobtail");
  builder->SetResourceQuota(quota.Resize(quota_bytes));
}

ConnectionLimits WithRequests(ConnectionLimits limits) {
  limits.requests.call = kMaxRequestBytes + kMaxMetadataBytes;
  return limits;
}

}  // namespace

GrpcServer::GrpcServer(GrpcServerOptions options)
    : options_(std::move(options)), acceptor_(WithRequests(options_.limits)) {}

GrpcServer::~GrpcServer() = default;

absl::Status GrpcServer::Start(JobService* service) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetKeepalive(&builder);
  SetLimits(options_.quota_bytes, &builder);
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  taker_ = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, Credentials(false));
  unix_taker_ =
      builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, Credentials(true));
  builder.RegisterService(service);
  server_ = builder.BuildAndStart();
  if (!server_) return absl::UnavailableError("gRPC does not start");
  service->OnCall(
      [this](const std::string& peer, size_t bytes) { return acceptor_.Called(peer, bytes); });
  acceptor_.Start([this](const Acceptor::Handover& handover) { Take(handover); });
  return absl::OkStatus();
}

void GrpcServer::Stop(absl::Duration grace) {
  acceptor_.Stop();
  if (server_) server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

void GrpcServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
  if (!health) return;
  health->SetServingStatus("", serving);
  health->SetServingStatus(v1::JobService::service_full_name(), serving);
}

absl::Status GrpcServer::Listen() {
  for (const std::string& address : options_.addresses) {
    absl::Status listening = acceptor_.Listen(address, options_.socket);
    if (!listening.ok()) return listening;
  }
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> GrpcServer::Credentials(bool is_unix) const {
  if (options_.credentials) return options_.credentials;
  if (is_unix || !options_.certificates) return grpc::InsecureServerCredentials();
  return TlsCredentials(options_.certificates);
}

void GrpcServer::Take(const Acceptor::Handover& handover) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = handover.listener;
  parameters.fd = handover.connection;
  (handover.is_unix ? unix_taker_ : taker_)->HandleNewConnection(&parameters);
}

}  // namespace jobtail
