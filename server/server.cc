// The server put together: store, engine, doors, and the order in which they begin and end.
#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/host_port.h"
#include "server/http/http_server.h"
#include "server/log/journaled_store.h"
#include "server/log/memory_store.h"
#include "server/metrics/health.h"
#include "server/metrics/metered_store.h"
#include "server/metrics/metrics.h"
#include "server/metrics/store_size.h"
#include "server/process/child.h"
#include "server/process/function_process.h"
#include "server/process/process_pool.h"
#include "server/rpc/job_service.h"
#include "server/stream/store_pool.h"
#include "web/console_page.h"

namespace jobtail {
namespace {

// How long the streams' clients have to take what is there, and then gRPC to close what is left.
constexpr absl::Duration kStreamGrace = absl::Seconds(2);
constexpr absl::Duration kCloseGrace = absl::Seconds(3);

// Above the engine's own limits, whose messages say more than gRPC's.
constexpr int kMaxRequestBytes = 16 << 20;

// Streams idle for long. Pings find out about a peer that has vanished, and clients may send them
// this often, too.
void SetKeepalive(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
}

absl::Status NoAddress(const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "address \"", text, "\": give HOST:PORT, such as 127.0.0.1:50051; port 0 picks a free one"));
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

EngineOptions EngineOptionsFor(const ServerOptions& options) {
  EngineOptions engine = options.engine;
  if (options.store.directory.empty()) engine.cache_bytes = 0;  // the store is in memory itself
  return engine;
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(ServerOptions options) : Impl(std::move(options), OpenStore(options.store)) {}

  ~Impl() {
    Stop();
    engine_.Stop(absl::InfiniteDuration());
  }

  absl::Status AddJob(Job job);
  absl::Status ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs);
  absl::Status Start();
  absl::Status AddTo(grpc::ServerBuilder* builder);
  size_t Stop();

  Engine& engine() { return engine_; }
  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& http_url() const { return http_url_; }

 private:
  Impl(ServerOptions options, absl::StatusOr<std::unique_ptr<LogStore>> store)
      : options_(std::move(options)),
        status_(store.status()),
        store_(store.ok() ? *std::move(store) : std::make_unique<MemoryStore>()),
        metered_(store_.get(), &registry_, options_.engine.clock),
        engine_(&metered_, EngineOptionsFor(options_)),
        service_(&engine_, &pool_, options_.heartbeat) {
    if (status_.ok()) status_ = engine_.Recover();
  }

  absl::Status Prepare(Job* job);
  void CallJobInChild();
  absl::Status StartGrpc();
  absl::Status StartHttp();
  http::HttpOptions MakeHttpOptions();
  std::string Metrics();

  const ServerOptions options_;
  absl::Status status_;  // of opening the store; if not OK, there is an empty one that nobody sees
  const std::unique_ptr<LogStore> store_;
  prometheus::Registry registry_;
  MeteredStore metered_;
  absl::once_flag processes_once_;
  std::unique_ptr<process::ProcessPool> processes_;  // once a job needs it
  std::atomic<bool> started_ = false;
  Engine engine_;
  StorePool pool_;  // what runs in it uses the above, and those below have it run
  JobService service_;
  std::unique_ptr<Health> health_;          // null before Start
  std::unique_ptr<StoreSize> size_;         // null without HTTP, and for a store in memory
  std::unique_ptr<http::HttpServer> http_;  // null without HTTP
  std::string http_url_;
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
  if (absl::Status started = StartGrpc(); !started.ok()) return started;
  return options_.http.address.empty() ? absl::OkStatus() : StartHttp();
}

absl::Status Server::Impl::StartHttp() {
  if (const std::string& directory = options_.store.directory; !directory.empty()) {
    size_ = std::make_unique<StoreSize>(
        [directory](const std::stop_token& stop) { return DirectorySize(directory, stop); },
        engine_.clock());
  }
  http_ = std::make_unique<http::HttpServer>(&engine_, &pool_, MakeHttpOptions());
  absl::Status started = http_->Start();
  http_url_ = http_->url();
  return started;
}

http::HttpOptions Server::Impl::MakeHttpOptions() {
  http::HttpOptions http = options_.http;
  if (http.files.empty()) http.files = web::ConsolePage();
  http.heartbeat = options_.heartbeat;
  http.metrics = [this] { return Metrics(); };
  http.health = [this] { return health_->Get(); };
  return http;
}

std::string Server::Impl::Metrics() {
  metered_.Publish();
  const http::HttpStats http = http_->stats();
  return MetricsText(registry_, {.runs = engine_.CountRuns(),
                                 .refused_runs = engine_.refused_runs(),
                                 .grpc = service_.stream_stats(),
                                 .http = http.streams,
                                 .http_connections = http.connections,
                                 .http_refused_connections = http.refused_connections,
                                 .waiting_store_calls = pool_.waiting(),
                                 .healthy = health_->Get().ok(),
                                 .store_bytes = size_ ? size_->bytes() : std::nullopt});
}

absl::Status Server::Impl::StartGrpc() {
  std::optional<HostPort> address = ParseHostPort(options_.grpc_address);
  if (!address.has_value()) return NoAddress(options_.grpc_address);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetKeepalive(&builder);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port that is taken is an error
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.AddListeningPort(address->ToString(), grpc::InsecureServerCredentials(), &address->port);
  builder.RegisterService(&service_);
  grpc_ = builder.BuildAndStart();
  if (!grpc_ || address->port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options_.grpc_address,
                     ": is the port in use? Choose another address; port 0 picks a free one"));
  }
  grpc_address_ = address->ToString();
  health_ = std::make_unique<Health>(
      [this] { return engine_.CheckHealth(); },
      [this](std::function<void()> check) { pool_.Run(kHealthClient, std::move(check)); },
      [this](bool healthy) { SetServing(grpc_.get(), healthy); }, engine_.clock());
  return absl::OkStatus();
}

absl::Status Server::Impl::AddTo(grpc::ServerBuilder* builder) {
  CallJobInChild();
  started_ = true;
  if (status_.ok()) builder->RegisterService(&service_);
  return status_;
}

// The order matters: grpc::Server::Shutdown waits for streams, and these end only when we end them.
size_t Server::Impl::Stop() {
  absl::MutexLock lock(&stop_mutex_);
  if (std::exchange(stopped_, true)) return 0;
  if (health_) health_->Stop();
  const size_t at_work = engine_.Stop(options_.stop_grace);
  std::thread http_stop([&] {
    if (http_) http_->Stop(kStreamGrace);
  });
  service_.StopStreams(kStreamGrace);
  http_stop.join();
  if (grpc_) grpc_->Shutdown(absl::ToChronoTime(absl::Now() + kCloseGrace));
  return at_work;
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() = default;

bool Server::InChildProcess() { return process::IsChild(); }

absl::Status Server::AddJob(Job job) { return impl_->AddJob(std::move(job)); }

absl::Status Server::ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs) {
  return impl_->ReplaceJobs(names, std::move(jobs));
}

absl::Status Server::Start() { return impl_->Start(); }

absl::Status Server::AddTo(grpc::ServerBuilder* builder) { return impl_->AddTo(builder); }

const std::string& Server::grpc_address() const { return impl_->grpc_address(); }

const std::string& Server::http_url() const { return impl_->http_url(); }

size_t Server::Stop() { return impl_->Stop(); }

Engine& Server::engine() { return impl_->engine(); }

}  // namespace jobtail
