// The two doors: they listen, serve and end together.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "server/memory_plan.h"
#include "server/process/child.h"
#include "server/rpc/tls_credentials.h"
#include "server/server_impl.h"
#include "server/server_plan.h"
#include "server/tls/reach.h"
#include "web/console_page.h"

namespace jobtail {
namespace {

// How long the streams' clients have to take what is there, and then gRPC to close what is left.
constexpr absl::Duration kStreamGrace = absl::Seconds(2);
constexpr absl::Duration kCloseGrace = absl::Seconds(3);

// Whose turn it is in the pool when the store is asked how it is: nobody's else.
constexpr char kHealthClient[] = "health";

}  // namespace

// Either everything serves, or nothing listens.
absl::Status Server::Impl::Start() {
  CallJobInChild();
  if (absl::Status once = Begin(); !once.ok()) return once;
  const absl::Status opened = status_.ok() ? OpenDoors() : status_;
  if (!opened.ok()) {
    CloseDoors();
    started_ = false;
    return opened;
  }
  grpc_address_ = grpc_->acceptor().address();
  health_ = std::make_unique<Health>(
      [this] { return CheckHealth(); },
      [this](std::function<void()> check) { pool_.Run(kHealthClient, std::move(check)); },
      [this](bool healthy) { grpc_->SetServing(healthy); }, engine_.clock());
  if (http_) {
    http_url_ = http_->url();
    http_->Start();
  }
  if (access_) access_->OnChange([this] { CheckRights(); });
  return absl::OkStatus();
}

absl::Status Server::Impl::Begin() {
  absl::MutexLock lock(&stop_mutex_);
  if (stopped_) {
    return absl::FailedPreconditionError("the server has been stopped; make another one");
  }
  if (started_.exchange(true)) {
    return absl::FailedPreconditionError(
        "the server has been started already, or added to a gRPC server; either is done once");
  }
  return absl::OkStatus();
}

// Clients of both doors wait until both listen.
absl::Status Server::Impl::OpenDoors() {
  if (absl::Status fit = CheckAddresses(); !fit.ok()) return fit;
  if (const TlsOptions& tls = options_.tls; tls.enabled() || !tls.key_file.empty()) {
    auto opened = CertificateSource::Open(tls);
    if (!opened.ok()) return opened.status();
    certificates_ = *std::move(opened);
  }
  MakeGrpc();
  if (absl::Status listening = grpc_->Listen(); !listening.ok()) return listening;
  if (!options_.http.address.empty()) {
    MakeHttp();
    if (absl::Status listening = http_->Listen(); !listening.ok()) return listening;
  }
  return grpc_->Start(&service_);
}

void Server::Impl::CloseDoors() {
  http_.reset();
  size_.reset();
  grpc_.reset();
  certificates_.reset();
}

absl::Status Server::Impl::CheckAddresses() const {
  const bool knows_callers =
      access_ && (access_->HasProofs() || !options_.tls.client_ca_file.empty());
  const bool has_own = !AreInsecure(options_.grpc_credentials);
  const Protection grpc = {
      .encrypts = has_own || (options_.tls.enabled() && !options_.grpc_credentials),
      .knows_callers = knows_callers || (has_own && options_.grpc_credentials_know_callers),
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

void Server::Impl::MakeHttp() {
  if (const std::string& directory = options_.store.directory; !directory.empty()) {
    size_ = std::make_unique<StoreSize>(
        [directory](const std::stop_token& stop) { return DirectorySize(directory, stop); },
        engine_.clock());
  }
  http_ = std::make_unique<http::HttpServer>(&engine_, &pool_, &budget_, MakeHttpOptions(),
                                             certificates_.get());
}

http::HttpOptions Server::Impl::MakeHttpOptions() {
  http::HttpOptions http = options_.http;
  const MemoryPlan memory = PlanMemory(options_.memory_bytes);
  http.max_connections =
      std::min(descriptors_.http_connections,
               certificates_ ? memory.https_connections : memory.http_connections);
  if (http.files.empty()) http.files = web::ConsolePage();
  http.heartbeat = options_.heartbeat;
  http.stream_message_bytes = memory.stream_messages;
  http.socket = options_.socket;
  http.metrics = [this](const access::Caller& caller, std::string* text) {
    return Metrics(caller, text);
  };
  http.health = [this] { return health_->Get(); };
  return http;
}

void Server::Impl::CheckRights() {
  service_.CheckRights();
  if (grpc_) grpc_->CheckRights();
  if (http_) http_->CheckRights();
}

void Server::Impl::MakeGrpc() {
  const bool has_tls = options_.grpc_credentials ? !AreInsecure(options_.grpc_credentials)
                                                 : certificates_ != nullptr;
  GrpcServerOptions grpc{
      .addresses = {options_.grpc_address},
      .socket = options_.socket,
      .limits = PlanConnections(options_, descriptors_.grpc_connections, has_tls),
      .quota_bytes = PlanMemory(options_.memory_bytes).grpc,
      .certificates = certificates_.get(),
      .credentials = options_.grpc_credentials,
      .access = access_.get()};
  for (const std::string& address : options_.more_grpc_addresses) grpc.addresses.push_back(address);
  grpc_ = std::make_unique<GrpcServer>(std::move(grpc));
  service_.BoundMessages(PlanMemory(options_.memory_bytes).stream_messages);
}

absl::Status Server::Impl::CheckHealth() const {
  if (absl::Status store = engine_.CheckHealth(); !store.ok()) return store;
  if (absl::Status door = grpc_->acceptor().CheckHealth(); !door.ok()) return door;
  return http_ ? http_->CheckHealth() : absl::OkStatus();
}

absl::Status Server::Impl::AddTo(grpc::ServerBuilder* builder) {
  CallJobInChild();
  if (absl::Status once = Begin(); !once.ok()) return once;
  if (!status_.ok()) {
    started_ = false;
    return status_;
  }
  builder->RegisterService(&service_);
  if (access_) access_->OnChange([this] { CheckRights(); });
  return absl::OkStatus();
}

size_t Server::Impl::Stop() {
  return Stop({.jobs = options_.stop_grace, .streams = kStreamGrace, .close = kCloseGrace});
}

// Jobs have most of the time, but not all of it.
size_t Server::Impl::StopWithin(absl::Duration time) {
  const absl::Duration rest = std::min(kStreamGrace + kCloseGrace, time / 2);
  const absl::Duration streams = std::min(kStreamGrace, rest / 2);
  return Stop({.jobs = time - rest, .streams = streams, .close = rest - streams});
}

// The order matters: grpc::Server::Shutdown waits for streams, and these end only when we end them.
size_t Server::Impl::Stop(const Graces& graces) {
  absl::MutexLock lock(&stop_mutex_);
  if (std::exchange(stopped_, true)) return 0;
  if (health_) health_->Stop();
  if (access_) access_->OnChange(nullptr);
  const size_t at_work = engine_.Stop(graces.jobs);
  std::thread http_stop([&] {
    if (http_) http_->Stop(graces.streams);
  });
  service_.StopStreams(graces.streams);
  http_stop.join();
  if (grpc_) grpc_->Stop(graces.close);
  return at_work;
}

}  // namespace jobtail
