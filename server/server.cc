// The server put together: store, engine, and what a program asks of them.
#include "server/server.h"

#include <system_error>
#include <thread>
#include <utility>

#include "server/access/access_control.h"
#include "server/memory_plan.h"
#include "server/process/child.h"
#include "server/process/function_process.h"
#include "server/run/engine.h"
#include "server/server_impl.h"
#include "server/server_plan.h"
#include "server/store/journaled_store.h"
#include "server/store/memory_store.h"

namespace jobtail {
namespace {

absl::StatusOr<std::unique_ptr<LogStore>> OpenStore(const RocksDbOptions& options) {
  // The directory is the server's; its child keeps nothing.
  if (options.directory.empty() || process::IsChild()) return std::make_unique<MemoryStore>();
  return JournaledStore::Open(options);
}

// Null where nobody is asked; a child of a run serves nobody.
absl::StatusOr<std::unique_ptr<access::AccessControl>> OpenAccess(const ServerOptions& options) {
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

Server::Impl::Impl(const ServerOptions& planned)
    : Impl(planned, OpenStore(planned.store), OpenAccess(planned)) {}

Server::Impl::Impl(ServerOptions options, OpenedStore store, OpenedAccess access)
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

Server::Impl::~Impl() {
  Stop();
  AwaitJobs();
}

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

bool KnowsCallers(const ServerOptions& options) { return !options.access_file.empty(); }

Server::Server() : Server(ServerOptions()) {}

Server::Server(ServerOptions options)
    : impl_(std::make_shared<Impl>(Planned(std::move(options)))) {}

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

size_t Server::Stop(TimeSpan within) { return impl_->StopWithin(within); }

// Whoever comes last, the jobs or this object, takes everything down.
std::vector<Server::RunAtWork> Server::Abandon() {
  impl_->Stop();
  std::vector<RunAtWork> left;
  for (const auto& run : impl_->engine().ActiveRuns()) left.push_back({run->id(), run->job()});
  auto* const kept = new std::shared_ptr<Impl>(impl_);
  try {
    std::thread([kept] {
      (*kept)->AwaitJobs();
      delete kept;
    }).detach();
  } catch (const std::system_error&) {
    // No thread for it: it stays.
  }
  return left;
}

Engine& Server::engine() { return impl_->engine(); }

}  // namespace jobtail
