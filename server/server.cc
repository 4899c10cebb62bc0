// The server put together: store, engine, doors, and the order in which they begin and end.
#include "server/server.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "server/access/access_control.h"
#include "server/descriptor_plan.h"
#include "server/http/http_server.h"
#include "server/memory_plan.h"
#include "server/metrics/health.h"
#include "server/metrics/metered_store.h"
#include "server/metrics/metrics.h"
#include "server/metrics/store_size.h"
#include "server/process/child.h"
#include "server/process/function_process.h"
#include "server/process/process_pool.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/job_service.h"
#include "server/server_plan.h"
#include "server/store/journaled_store.h"
#include "server/store/memory_store.h"
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

// Whose turn it is in the pool when the store is asked how it is: nobody's else.
constexpr char kHealthClient[] = "health";

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
    return grpc_address_.empty() ? std::vector<std::string>() : grpc_->acceptor().addresses();
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
  ByteBudget budget_;
  StorePool pool_;  // what runs in it uses the above, and those below have it run
  JobService service_;
  std::unique_ptr<Health> health_;          // null before Start
  std::unique_ptr<StoreSize> size_;         // null without HTTP, and for a store in memory
  std::unique_ptr<http::HttpServer> http_;  // null without HTTP
  std::string http_url_;
  std::unique_ptr<GrpcServer> grpc_;  // null before Start
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
  return MetricsText(registry_,
                     {.runs = *std::move(runs),
                      .refused_runs = engine_.refused_runs(),
                      .grpc = service_.stream_stats(),
                      .http = http.streams,
                      .http_connections = http.connections,
                      .http_refused_connections = http.refused_connections,
                      .grpc_connections = grpc_->acceptor().connections(),
                      .grpc_refused_connections = grpc_->acceptor().refused_connections(),
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
                       .unproven_connections = (grpc_ ? grpc_->acceptor().newcomers() : 0) +
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
  GrpcServerOptions grpc{
      .addresses = {options_.grpc_address},
      .socket = options_.socket,
      .limits = PlanConnections(options_, descriptors_.grpc_connections, has_tls),
      .quota_bytes = PlanMemory(options_.memory_bytes).grpc,
      .certificates = certificates_.get(),
      .credentials = options_.grpc_credentials};
  for (const std::string& address : options_.more_grpc_addresses) grpc.addresses.push_back(address);
  grpc_ = std::make_unique<GrpcServer>(std::move(grpc));
  service_.BoundMessages(PlanMemory(options_.memory_bytes).stream_messages);
  if (access_) {
    service_.OnAdmit([this](const std::string& peer, const access::Caller& caller) {
      return grpc_->acceptor().Own(peer, caller.principal->name,
                                   [&] { return access_->HoldConnection(caller); });
    });
  }
  if (absl::Status started = grpc_->Start(&service_); !started.ok()) return started;
  grpc_address_ = grpc_->acceptor().address();
  health_ = std::make_unique<Health>(
      [this] { return CheckHealth(); },
      [this](std::function<void()> check) { pool_.Run(kHealthClient, std::move(check)); },
      [this](bool healthy) { grpc_->SetServing(healthy); }, engine_.clock());
  return absl::OkStatus();
}

absl::Status Server::Impl::CheckHealth() const {
  if (absl::Status store = engine_.CheckHealth(); !store.ok()) return store;
  return grpc_->acceptor().CheckHealth();
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
  if (grpc_) grpc_->Stop(kCloseGrace);
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
