// The server put together: store, engine, doors, and the order in which they begin and end.
#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "server/access/access_control.h"
#include "server/descriptor_plan.h"
#include "server/http/http_server.h"
#include "server/log/journaled_store.h"
#include "server/log/memory_store.h"
#include "server/memory_plan.h"
#include "server/metrics/health.h"
#include "server/metrics/metered_store.h"
#include "server/metrics/metrics.h"
#include "server/metrics/store_size.h"
#include "server/process/child.h"
#include "server/process/function_process.h"
#include "server/process/process_pool.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/call_floods.h"
#include "server/rpc/job_service.h"
#include "server/rpc/tls_credentials.h"
#include "server/stream/byte_budget.h"
#include "server/stream/store_pool.h"
#include "server/tls/certificate_source.h"
#include "server/tls/reach.h"
#include "web/console_page.h"

namespace jobtail {
namespace {

// How long the streams' clients have to take what is there, and then gRPC to close what is left.
constexpr absl::Duration kStreamGrace = absl::Seconds(2);
constexpr absl::Duration kCloseGrace = absl::Seconds(3);

// Above the engine's own limits, whose messages say more than gRPC's.
constexpr int kMaxRequestBytes = 2 << 20;

// Of one call. gRPC ends a connection with all its calls if a client sends much more although it
// has been told the limit. Well above the service's own, beyond which a call alone is refused.
constexpr int kMaxMetadataBytes = 4 * static_cast<int>(JobService::kMaxMetadataBytes);

// How long a client that has connected may take to speak HTTP/2.
constexpr int kHandshakeMillis = 20'000;

// TLS handshakes that may be under way, however few connections there may be.
constexpr size_t kFewHandshakes = 16;

// Streams idle for long. Pings find out about a peer that has vanished, and clients may send them
// this often, too.
void SetKeepalive(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMillis);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
}

// Whose turn it is in the pool when the store is asked how it is: nobody's else.
constexpr char kHealthClient[] = "health";

// By the names under which the health protocol asks: of the server, and of the service. Others are
// unknown to it.
void SetServing(grpc::Server* server, bool serving) {
  grpc::HealthCheckServiceInterface* const health = server->GetHealthCheckService();
  if (!health) return;
  health->SetServingStatus("", serving);
  health->SetServingStatus(v1::JobService::service_full_name(), serving);
}

absl::StatusOr<std::unique_ptr<LogStore>> OpenStore(const RocksDbOptions& options) {
  // The directory is the server's; its child keeps nothing.
  if (options.directory.empty() || process::IsChild()) return std::make_unique<MemoryStore>();
  return JournaledStore::Open(options);
}

using OpenedAccess = absl::StatusOr<std::unique_ptr<access::AccessControl>>;

// Null where nobody is asked; a child of a run serves nobody.
OpenedAccess OpenAccess(const ServerOptions& options) {
  if (options.access_file.empty() || process::IsChild()) return nullptr;
  return access::AccessControl::Open(options.access_file, options.engine.clock);
}

EngineOptions EngineOptionsFor(const ServerOptions& options, access::AccessControl* access) {
  EngineOptions engine = options.engine;
  if (access) engine.access = access;
  const bool has_directory = !options.store.directory.empty();
  if (!has_directory) engine.cache_bytes = 0;  // the store is in memory itself
  engine.store_syncs_always = has_directory && options.store.sync == SyncMode::kAlways;
  return engine;
}

DescriptorPlan PlanDescriptorsFor(const ServerOptions& options) {
  return PlanDescriptors(DescriptorLimit(), options.engine.max_active_runs,
                         options.http.max_connections);
}

// What is left of the options once the process's limits are known.
ServerOptions Planned(ServerOptions options) {
  const DescriptorPlan plan = PlanDescriptorsFor(options);
  RocksDbOptions& store = options.store;
  store.max_open_files = std::min(store.max_open_files, plan.store_files);
  if (options.memory_bytes == 0) options.memory_bytes = MemoryOfSystem();
  const MemoryPlan memory = PlanMemory(options.memory_bytes);
  EngineOptions& engine = options.engine;
  store.cache_bytes = std::min(store.cache_bytes, memory.store_cache);
  store.write_buffer_bytes = std::min(store.write_buffer_bytes, memory.store_write_buffer);
  engine.cache_bytes = std::min(engine.cache_bytes, memory.batch_cache);
  engine.log.tail_bytes = std::min(engine.log.tail_bytes, memory.log_tail);
  engine.unsaved_bytes = std::min(engine.unsaved_bytes, memory.unsaved);
  return options;
}

// Nobody's address takes all connections.
Acceptor::Limits LimitsOf(size_t connections, size_t memory, bool has_tls, bool asks) {
  constexpr size_t kMost = std::numeric_limits<int64_t>::max();
  PendingHandshakes::Limits handshakes;
  if (has_tls) {
    handshakes.total = std::max<size_t>(kFewHandshakes, connections / 4);
    handshakes.of_address = handshakes.total / 2;
    handshakes.time = absl::Milliseconds(kHandshakeMillis);
  }
  return {
      .connections = connections,
      .connections_of_address = std::max<size_t>(1, connections - connections / 4),
      .handshakes = handshakes,
      .newcomers = asks ? access::Newcomers::Limits::Of(connections) : access::Newcomers::Limits(),
      .resident_bytes = static_cast<int64_t>(std::min(memory, kMost))};
}

}  // namespace

class Server::Impl {
 public:
  // `planned` are what Planned has made.
  explicit Impl(const ServerOptions& planned)
      : Impl(planned, OpenStore(planned.store), OpenAccess(planned)) {}

  ~Impl() {
    Stop();
    engine_.Stop(absl::InfiniteDuration());
  }

  absl::Status AddJob(Job job);
  absl::Status ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs);
  absl::Status Checkpoint(const std::string& directory) {
    return status_.ok() ? store_->Checkpoint(directory) : status_;
  }
  absl::Status Start();
  absl::Status AddTo(grpc::ServerBuilder* builder);
  size_t Stop();
  void ReloadAccess() {
    if (access_) access_->Reload();
  }

  Engine& engine() { return engine_; }
  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& http_url() const { return http_url_; }
  std::vector<std::string> grpc_addresses() const {
    return grpc_ ? acceptor_->addresses() : std::vector<std::string>();
  }
  std::vector<std::string> http_urls() const {
    return http_ ? http_->urls() : std::vector<std::string>();
  }

 private:
  Impl(ServerOptions options, absl::StatusOr<std::unique_ptr<LogStore>> store, OpenedAccess access)
      : options_(std::move(options)),
        status_(access.ok() ? store.status() : access.status()),
        access_(access.ok() ? *std::move(access) : nullptr),
        store_(store.ok() ? *std::move(store) : std::make_unique<MemoryStore>()),
        metered_(store_.get(), &registry_, options_.engine.clock),
        descriptors_(PlanDescriptorsFor(options_)),
        engine_(&metered_, EngineOptionsFor(options_, access_.get())),
        budget_(PlanMemory(options_.memory_bytes).clients),
        service_(&engine_, &pool_, &budget_, options_.heartbeat) {
    if (status_.ok()) status_ = engine_.Recover();
  }

  absl::Status Prepare(Job* job);
  void CallJobInChild();
  absl::Status CheckAddresses() const;
  absl::Status StartGrpc();
  absl::Status ListenForGrpc();
  std::shared_ptr<grpc::ServerCredentials> GrpcCredentials(bool is_unix);
  void Take(const Acceptor::Handover& handover);
  absl::Status CheckHealth() const;
  absl::Status StartHttp();
  http::HttpOptions MakeHttpOptions();
  absl::StatusOr<std::string> Metrics(const access::Caller& caller);
  void CheckRights();
  std::optional<CertificateFigures> Certificates() const;
  std::optional<AccessFigures> Access() const;

  const ServerOptions options_;
  absl::Status status_;  // of opening the store and the access file; if not OK, nobody is served
  const std::unique_ptr<access::AccessControl> access_;  // null: nobody is asked
  const std::unique_ptr<LogStore> store_;
  prometheus::Registry registry_;
  MeteredStore metered_;
  const DescriptorPlan descriptors_;
  absl::once_flag processes_once_;
  std::unique_ptr<process::ProcessPool> processes_;  // once a job needs it
  std::atomic<bool> started_ = false;
  Engine engine_;
  std::unique_ptr<CertificateSource> certificates_;  // null before Start, and without TLS
  std::unique_ptr<Acceptor> acceptor_;               // null before Start
  ByteBudget budget_;
  StorePool pool_;  // what runs in it uses the above, and those below have it run
  JobService service_;
  std::unique_ptr<Health> health_;          // null before Start
  std::unique_ptr<StoreSize> size_;         // null without HTTP, and for a store in memory
  std::unique_ptr<http::HttpServer> http_;  // null without HTTP
  std::string http_url_;
  // Of gRPC's own, which the acceptor hands connections to.
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> taker_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> unix_taker_;
  std::unique_ptr<grpc::Server> grpc_;
  std::string grpc_address_;
  absl::Mutex stop_mutex_;
  bool stopped_ ABSL_GUARDED_BY(stop_mutex_) = false;
};

absl::Status Server::Impl::AddJob(Job job) {
  if (absl::Status status = Prepare(&job); !status.ok()) return status;
  return engine_.AddJob(std::move(job));
}

absl::Status Server::Impl::ReplaceJobs(const std::vector<std::string>& names,
                                       std::vector<Job> jobs) {
  for (Job& job : jobs) {
    if (absl::Status status = Prepare(&job); !status.ok()) return status;
  }
  return engine_.ReplaceJobs(names, std::move(jobs));
}

absl::Status Server::Impl::Prepare(Job* job) {
  if (!job->options().child_process || !job->function()) return absl::OkStatus();
  if (started_) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", job->name(),
                     ": runs in a child process, which does what this program does until the "
                     "server starts; add it before that"));
  }
  absl::call_once(processes_once_,
                  [this] { processes_ = std::make_unique<process::ProcessPool>(); });
  job->ExecuteBy(
      std::make_shared<process::FunctionProcess>(*job->options().child_process, processes_.get()));
  return absl::OkStatus();
}

// Does not return if this is a child.
void Server::Impl::CallJobInChild() {
  if (!process::IsChild()) return;
  process::CallJob([this](const std::string& name) { return engine_.FindJob(name); });
}

absl::Status Server::Impl::Start() {
  CallJobInChild();
  started_ = true;
  if (!status_.ok()) return status_;
  if (absl::Status fit = CheckAddresses(); !fit.ok()) return fit;
  if (const TlsOptions& tls = options_.tls; tls.enabled() || !tls.key_file.empty()) {
    auto opened = CertificateSource::Open(tls);
    if (!opened.ok()) return opened.status();
    certificates_ = *std::move(opened);
  }
  if (absl::Status started = StartGrpc(); !started.ok()) return started;
  const absl::Status started = options_.http.address.empty() ? absl::OkStatus() : StartHttp();
  if (access_) access_->OnChange([this] { CheckRights(); });
  return started;
}

absl::Status Server::Impl::CheckAddresses() const {
  const bool knows_callers = KnowsCallers(options_);
  const Protection grpc = {.encrypts = options_.tls.enabled() || options_.grpc_credentials,
                           .knows_callers = knows_callers || options_.grpc_credentials,
                           .insecure = options_.insecure};
  absl::Status fit = CheckReach("--grpc-address", options_.grpc_address, grpc);
  for (const std::string& address : options_.more_grpc_addresses) {
    if (fit.ok()) fit = CheckReach("--grpc-address", address, grpc);
  }
  if (!fit.ok() || options_.http.address.empty()) return fit;
  const Protection http = {.encrypts = options_.tls.enabled(),
                           .knows_callers = knows_callers,
                           .insecure = options_.insecure};
  fit = CheckReach("--http-address", options_.http.address, http);
  for (const std::string& address : options_.http.more_addresses) {
    if (fit.ok()) fit = CheckReach("--http-address", address, http);
  }
  return fit;
}

absl::Status Server::Impl::StartHttp() {
  if (const std::string& directory = options_.store.directory; !directory.empty()) {
    size_ = std::make_unique<StoreSize>(
        [directory](const std::stop_token& stop) { return DirectorySize(directory, stop); },
        engine_.clock());
  }
  http_ = std::make_unique<http::HttpServer>(&engine_, &pool_, &budget_, MakeHttpOptions(),
                                             certificates_.get());
  absl::Status started = http_->Start();
  http_url_ = http_->url();
  return started;
}

http::HttpOptions Server::Impl::MakeHttpOptions() {
  http::HttpOptions http = options_.http;
  http.max_connections = descriptors_.http_connections;
  if (http.files.empty()) http.files = web::ConsolePage();
  http.heartbeat = options_.heartbeat;
  http.stream_message_bytes = PlanMemory(options_.memory_bytes).stream_messages;
  http.socket = options_.socket;
  http.metrics = [this](const access::Caller& caller) { return Metrics(caller); };
  http.health = [this] { return health_->Get(); };
  return http;
}

void Server::Impl::CheckRights() {
  service_.CheckRights();
  if (http_) http_->CheckRights();
}

absl::StatusOr<std::string> Server::Impl::Metrics(const access::Caller& caller) {
  absl::StatusOr<Engine::RunCounts> runs = engine_.CountRuns(caller);
  if (!runs.ok()) return runs.status();
  metered_.Publish();
  const http::HttpStats http = http_->stats();
  return MetricsText(registry_, {.runs = *std::move(runs),
                                 .refused_runs = engine_.refused_runs(),
                                 .grpc = service_.stream_stats(),
                                 .http = http.streams,
                                 .http_connections = http.connections,
                                 .http_refused_connections = http.refused_connections,
                                 .grpc_connections = acceptor_->connections(),
                                 .grpc_refused_connections = acceptor_->refused_connections(),
                                 .waiting_store_calls = pool_.waiting(),
                                 .http_failed_handshakes = http.failed_handshakes,
                                 .healthy = health_->Get().ok(),
                                 .store_bytes = size_ ? size_->bytes() : std::nullopt,
                                 .certificates = Certificates(),
                                 .access = Access()});
}

std::optional<AccessFigures> Server::Impl::Access() const {
  if (!access_) return std::nullopt;
  const access::Quotas& quotas = *access_->quotas();
  return AccessFigures{.failed_authentications = quotas.failures(),
                       .refused_authentications = quotas.refused_failures(),
                       .refused_calls = quotas.refused_calls(),
                       .refused_places = quotas.refused_places(),
                       .unproven_connections = (acceptor_ ? acceptor_->newcomers() : 0) +
                                               (http_ ? http_->stats().newcomers : 0),
                       .failed_reloads = access_->failed_reloads(),
                       .failed_key_fetches = access_->issuers()->failed_fetches(),
                       .audit_failures = access_->audit_failures()};
}

std::optional<CertificateFigures> Server::Impl::Certificates() const {
  if (!certificates_) return std::nullopt;
  const CertificateStats stats = certificates_->stats();
  return CertificateFigures{
      .days_left = absl::ToDoubleHours(stats.expires - engine_.clock()->Now()) / 24,
      .failed_reloads = stats.failed_reloads,
      .is_stale = stats.is_stale};
}

absl::Status Server::Impl::StartGrpc() {
  const bool has_tls = certificates_ || options_.grpc_credentials;
  acceptor_ = std::make_unique<Acceptor>(
      LimitsOf(descriptors_.grpc_connections, options_.memory_bytes, has_tls, access_ != nullptr));
  if (absl::Status listening = ListenForGrpc(); !listening.ok()) return listening;
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetKeepalive(&builder);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, CallFloods::kMostCalls);
  // The last resort, for what gRPC holds before anybody else knows of it, unfinished requests above
  // all: beyond it gRPC cancels calls, whose it may be.
  grpc::ResourceQuota quota("jobtail");
  builder.SetResourceQuota(quota.Resize(PlanMemory(options_.memory_bytes).grpc));
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  taker_ =
      builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, GrpcCredentials(false));
  unix_taker_ =
      builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, GrpcCredentials(true));
  builder.RegisterService(&service_);
  grpc_ = builder.BuildAndStart();
  if (!grpc_) return absl::UnavailableError("gRPC does not start");
  service_.BoundMessages(PlanMemory(options_.memory_bytes).stream_messages);
  service_.OnCall([this](const std::string& peer) { acceptor_->Called(peer); });
  if (access_) {
    service_.OnAdmit([this](const std::string& peer, const access::Caller& caller) {
      return acceptor_->Own(peer, caller.principal->name,
                            [&] { return access_->HoldConnection(caller); });
    });
  }
  acceptor_->Start([this](const Acceptor::Handover& handover) { Take(handover); });
  grpc_address_ = acceptor_->address();
  health_ = std::make_unique<Health>(
      [this] { return CheckHealth(); },
      [this](std::function<void()> check) { pool_.Run(kHealthClient, std::move(check)); },
      [this](bool healthy) { SetServing(grpc_.get(), healthy); }, engine_.clock());
  return absl::OkStatus();
}

absl::Status Server::Impl::ListenForGrpc() {
  absl::Status listening = acceptor_->Listen(options_.grpc_address, options_.socket);
  for (const std::string& address : options_.more_grpc_addresses) {
    if (listening.ok()) listening = acceptor_->Listen(address, options_.socket);
  }
  return listening;
}

void Server::Impl::Take(const Acceptor::Handover& handover) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = handover.listener;
  parameters.fd = handover.connection;
  (handover.is_unix ? unix_taker_ : taker_)->HandleNewConnection(&parameters);
}

std::shared_ptr<grpc::ServerCredentials> Server::Impl::GrpcCredentials(bool is_unix) {
  if (options_.grpc_credentials) return options_.grpc_credentials;
  if (is_unix || !certificates_) return grpc::InsecureServerCredentials();
  return TlsCredentials(certificates_.get());
}

absl::Status Server::Impl::CheckHealth() const {
  if (absl::Status store = engine_.CheckHealth(); !store.ok()) return store;
  return acceptor_->CheckHealth();
}

absl::Status Server::Impl::AddTo(grpc::ServerBuilder* builder) {
  CallJobInChild();
  started_ = true;
  if (status_.ok()) builder->RegisterService(&service_);
  if (access_) access_->OnChange([this] { CheckRights(); });
  return status_;
}

// The order matters: grpc::Server::Shutdown waits for streams, and these end only when we end them.
size_t Server::Impl::Stop() {
  absl::MutexLock lock(&stop_mutex_);
  if (std::exchange(stopped_, true)) return 0;
  if (health_) health_->Stop();
  if (access_) access_->OnChange(nullptr);
  const size_t at_work = engine_.Stop(options_.stop_grace);
  std::thread http_stop([&] {
    if (http_) http_->Stop(kStreamGrace);
  });
  service_.StopStreams(kStreamGrace);
  http_stop.join();
  if (acceptor_) acceptor_->Stop();  // what it hands on after gRPC's end would stay open
  if (grpc_) grpc_->Shutdown(absl::ToChronoTime(absl::Now() + kCloseGrace));
  return at_work;
}

bool KnowsCallers(const ServerOptions& options) { return !options.access_file.empty(); }

Server::Server(ServerOptions options)
    : impl_(std::make_unique<Impl>(Planned(std::move(options)))) {}

Server::~Server() = default;

bool Server::InChildProcess() { return process::IsChild(); }

absl::Status Server::AddJob(Job job) { return impl_->AddJob(std::move(job)); }

absl::Status Server::ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs) {
  return impl_->ReplaceJobs(names, std::move(jobs));
}

absl::Status Server::Checkpoint(const std::string& directory) {
  return impl_->Checkpoint(directory);
}

absl::Status Server::Start() { return impl_->Start(); }

absl::Status Server::AddTo(grpc::ServerBuilder* builder) { return impl_->AddTo(builder); }

const std::string& Server::grpc_address() const { return impl_->grpc_address(); }

std::vector<std::string> Server::grpc_addresses() const { return impl_->grpc_addresses(); }

std::vector<std::string> Server::http_urls() const { return impl_->http_urls(); }

const std::string& Server::http_url() const { return impl_->http_url(); }

void Server::ReloadAccess() { impl_->ReloadAccess(); }

size_t Server::Stop() { return impl_->Stop(); }

Engine& Server::engine() { return impl_->engine(); }

}  // namespace jobtail
