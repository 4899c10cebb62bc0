// gRPC's settings, and connections that are handed to it.
#include "server/rpc/grpc_server.h"

#include <grpcpp/ext/health_check_service_server_builder_option.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/impl/server_builder_plugin.h>

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/rpc/call_floods.h"
#include "server/rpc/tls_credentials.h"

namespace jobtail {
namespace {

// Above the engine's own limits, whose messages say more than gRPC's.
constexpr int kMaxRequestBytes = 2 << 20;

// Of one call. gRPC ends a connection with all its calls if a client sends much more although it
// has been told the limit. Well above the services' own, beyond which a call alone is refused.
constexpr int kMostMetadataBytes = 4 * static_cast<int>(kMaxMetadataBytes);

// Leaves out gRPC's own reflection, which a program may have switched on for all its servers: it
// would answer in place of StandardServices, and asks nobody.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments* arguments) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [](const auto& plugin) {
      return plugin->name().find("reflection") != std::string::npos;
    });
  }
};

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
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMostMetadataBytes);
  builder->AddChannelArgument(
      GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
      static_cast<int>(absl::ToInt64Milliseconds(GrpcServer::kHandshakeTime)));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, CallFloods::kMostCalls);
  grpc::ResourceQuota quota("jobtail");
  builder->SetResourceQuota(quota.Resize(quota_bytes));
}

ConnectionLimits WithRequests(ConnectionLimits limits) {
  limits.requests.call = kMaxRequestBytes + kMostMetadataBytes;
  return limits;
}

}  // namespace

GrpcServer::GrpcServer(GrpcServerOptions options)
    : options_(std::move(options)),
      acceptor_(WithRequests(options_.limits)),
      standard_(options_.access, CountCalls(), OwnConnections()) {}

GrpcServer::~GrpcServer() { standard_.Stop(); }

absl::Status GrpcServer::Start(JobService* service) {
  grpc::ServerBuilder builder;
  builder.SetOption(std::make_unique<WithoutReflection>());
  builder.SetOption(std::make_unique<grpc::HealthCheckServiceServerBuilderOption>(nullptr));
  SetKeepalive(&builder);
  SetLimits(options_.quota_bytes, &builder);
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  taker_ = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, Credentials(false));
  unix_taker_ =
      builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, Credentials(true));
  builder.RegisterService(service);
  builder.RegisterCallbackGenericService(&standard_);
  service->OnCall(CountCalls());
  service->OnAdmit(OwnConnections());
  server_ = builder.BuildAndStart();
  if (!server_) return absl::UnavailableError("gRPC does not start");
  acceptor_.Start([this](const Acceptor::Handover& handover) { Take(handover); });
  return absl::OkStatus();
}

void GrpcServer::Stop(absl::Duration grace) {
  acceptor_.Stop();
  standard_.Stop();
  if (server_) server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

OnCallFunction GrpcServer::CountCalls() {
  return [this](const std::string& peer, size_t bytes) { return acceptor_.Called(peer, bytes); };
}

OnAdmitFunction GrpcServer::OwnConnections() {
  access::AccessControl* const access = options_.access;
  if (!access) return nullptr;
  return [this, access](const std::string& peer, const access::Caller& caller) {
    const absl::Status owned =
        acceptor_.Own(peer, *caller.principal, [&] { return access->HoldConnection(caller); });
    if (!owned.ok()) {
      access->DenyBeyondLimit(caller, {.verb = access::AccessControl::kConnect}, owned);
    }
    return owned;
  };
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
