// Every check and limit of the API, and the creation and the end of runs.
#include "server/run/engine.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/codec/run_state.h"
#include "base/quoting.h"
#include "base/thread_slice.h"
#include "server/run/job_check.h"
#include "server/run/lost_run.h"
#include "server/run/run_id.h"

namespace jobtail {
namespace {

constexpr size_t kMaxRequestIdBytes = 128;

// So many threads store collected lines: a store call that takes long for one run leaves the other
// thread to all other runs.
constexpr int kCommitters = 2;
// For what is small. Where each write is synced, they wait for one sync together.
constexpr int kSmallCommitters = 2;
constexpr int kSmallSyncingCommitters = 4;

// For how long a start tries to store the ends of runs that a former process has left, and how
// often: a passing fault of the disk is over by then.
constexpr absl::Duration kRecoverPatience = absl::Seconds(10);
constexpr absl::Duration kRecoverAgain = absl::Milliseconds(100);

// What may pass: a store that has met an error is opened anew meanwhile.
bool MayPass(const absl::Status& error) {
  return absl::IsUnavailable(error) || absl::IsResourceExhausted(error);
}

void Pause(Clock* clock, absl::Duration time) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const absl::Duration end = clock->Steady() + time;
  while (clock->Steady() < end) clock->WaitUntil(end, lock, never);
}

}  // namespace

Engine::Engine(LogStore* store, EngineOptions options)
    : options_(options),
      store_(store),
      cache_(options.cache_bytes),
      unsaved_{.most = options.unsaved_bytes},
      committer_("log-commit", options.clock, kCommitters, TakeLongSlices),
      small_committer_("log-commit-few", options.clock,
                       options.store_syncs_always ? kSmallSyncingCommitters : kSmallCommitters),
      waker_("log-wake", options.clock),
      timers_("run-timers", options.clock),
      queue_({options.max_active_runs, options.max_queued_runs}),
      runs_(&waker_),
      run_services_{LogServices{store, &cache_, &committer_, &waker_, options.clock, &unsaved_,
                                &small_committer_},
                    &timers_,
                    [this](const std::string& run) { runs_.Touch(run); },
                    [this](const std::string& run, v1::RunState state, absl::Duration now) {
                      runs_.Move(run, state, now);
                    },
                    [this](const std::string& job) {
                      queue_.Leave(job, RunQueue::Place::kAtWork);
                      starter_.Soon([this] { StartReady(); });
                    },
                    [this](const std::string& run) { runs_.Done(run); }},
      request_ids_(options.clock),
      retention_(
          options.retention, &runs_, store, options.clock,
          [this](const std::string& name) {
            const auto job = jobs_.Find(name);
            return job.ok() ? (*job)->options().retention : JobRetention();
          },
          [this](absl::Span<const std::shared_ptr<Run>> runs) { return DeleteEnded(runs); }),
      discarded_(store, &keeper_),
      starter_("run-start", options.clock),
      keeper_("run-retention", options.clock) {
  if (retention_.HasLimits()) EnsureRetention();
}

Engine::~Engine() = default;

absl::Status Engine::AddJob(Job job) {
  std::vector<Job> jobs;
  jobs.push_back(std::move(job));
  return ReplaceJobs({}, std::move(jobs));
}

absl::Status Engine::ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs) {
  const bool have_limits = std::ranges::any_of(jobs, [](const Job& job) {
    const JobRetention& keep = job.options().retention;
    return keep.max_age || keep.max_runs || keep.max_run_bytes;
  });
  const absl::Status replaced = jobs_.Replace(names, std::move(jobs));
  if (!replaced.ok()) return replaced;
  if (have_limits) EnsureRetention();
  if (options_.access) options_.access->NoteChange();  // whose rights go by labels may have others
  return replaced;
}

absl::Status Engine::Recover() {
  std::vector<storage::v1::StoredRun> lost;
  absl::Status listed = store_->ForEachRun([&](storage::v1::StoredRun run) {
    if (IsFinal(run.run().state())) {
      Restore(std::move(run));
    } else {
      lost.push_back(std::move(run));
    }
  });
  if (!listed.ok()) return listed;
  const absl::Duration deadline = options_.clock->Steady() + kRecoverPatience;
  for (storage::v1::StoredRun& run : lost) {
    CloseLost(&run, deadline);
    Restore(std::move(run));
  }
  return absl::OkStatus();
}

void Engine::CloseLost(storage::v1::StoredRun* run, absl::Duration deadline) {
  const storage::v1::StoredRun before = *run;
  absl::Status closed = CloseLostRun(store_, options_.clock->Now(), run);
  while (MayPass(closed) && options_.clock->Steady() < deadline) {
    Pause(options_.clock, kRecoverAgain);
    *run = before;
    closed = CloseLostRun(store_, options_.clock->Now(), run);
  }
  if (closed.ok()) return;
  spdlog::error("run {}: that it is lost cannot be stored, which the next start tries again: {}",
                run->run().id(), closed.ToString());
}

void Engine::Restore(storage::v1::StoredRun run) {
  ids_.Continue(run.run().id());
  if (!run.request_id().empty()) {
    request_ids_.Restore(run.request_id(),
                         RequestIds::DigestOf(run.run().job(), run.request_parameters()),
                         run.run().id(), run.run().created_by());
  }
  runs_.AddEnded(std::make_shared<Run>(std::move(run), &run_services_));
}

absl::Status Engine::CheckLimits(const v1::CreateRunRequest& request) const {
  size_t bytes = 0;
  for (const auto& [name, value] : request.parameters()) bytes += name.size() + value.size();
  if (bytes > options_.max_parameter_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("parameters: ", bytes, " bytes; a run's parameters may have ",
                     options_.max_parameter_bytes, " in all; pass the name of a file instead"));
  }
  if (request.request_id().size() > kMaxRequestIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat("request_id: ", request.request_id().size(),
                                                   " bytes; at most ", kMaxRequestIdBytes,
                                                   " are allowed; use a random UUID"));
  }
  return absl::OkStatus();
}

absl::Status Engine::CheckNotStopping() const {
  absl::MutexLock lock(&stop_mutex_);
  if (!stopping_) return absl::OkStatus();
  return absl::UnavailableError("the server is shutting down; try again when it is back");
}

absl::StatusOr<std::shared_ptr<Run>> Engine::CreateNew(const std::string& id,
                                                       const v1::CreateRunRequest& request,
                                                       const Creator& creator) {
  if (const absl::Status status = CheckNotStopping(); !status.ok()) return status;
  if (const absl::Status status = CheckLimits(request); !status.ok()) return status;
  const auto job = jobs_.Find(request.job());
  if (!job.ok()) return job.status();
  auto parameters = ParseParameters(**job, request.parameters());
  if (!parameters.ok()) return parameters.status();
  auto own_place = TakePlace(creator, access::Quotas::Kind::kActiveRuns, request.job());
  if (!own_place.ok()) return own_place.status();
  const absl::StatusOr<RunQueue::Place> place = queue_.Enter(**job);
  if (!place.ok()) return place.status();
  absl::StatusOr<std::shared_ptr<void>> own_wait = nullptr;
  if (*place == RunQueue::Place::kQueued) {
    own_wait = TakePlace(creator, access::Quotas::Kind::kQueuedRuns, request.job());
    if (!own_wait.ok()) {
      queue_.Leave(request.job(), *place);
      return own_wait.status();
    }
  }
  auto run = std::make_shared<Run>(id, *job, *std::move(parameters), request, options_.log,
                                   &run_services_, creator.view.name());
  run->Keep(*std::move(own_place));
  absl::Status added =
      Allow(creator.caller, access::Verb::kRun, request.job(), id, request.request_id());
  if (added.ok() && creator.opens_log) {
    added = Allow(creator.caller, access::Verb::kReadLog, request.job(), id);
  }
  if (added.ok()) {
    added = AddRun(run, *job, *place, *std::move(own_wait));
    if (added.ok()) return run;
    Fail(creator.caller, access::Verb::kRun, request.job(), id, added);
  }
  queue_.Leave(request.job(), *place);
  starter_.Soon([this] { StartReady(); });
  return added;
}

// From here on it is seen, and asked to stop with the others; unless they have been already.
absl::Status Engine::Show(const std::shared_ptr<Run>& run) {
  absl::MutexLock lock(&stop_mutex_);
  if (stopping_) {
    return absl::UnavailableError(
        "the server began to shut down before the run was stored; try again when it is back");
  }
  runs_.Add(run);
  return absl::OkStatus();
}

absl::Status Engine::AddRun(const std::shared_ptr<Run>& run, const std::shared_ptr<const Job>& job,
                            RunQueue::Place place, std::shared_ptr<void> own_wait) {
  if (absl::Status stored = store_->PutRun(run->Stored()); !stored.ok()) {
    discarded_.DeleteLater(run->id());  // what could not be synced may be there
    return stored;
  }
  if (const absl::Status shown = Show(run); !shown.ok()) {
    discarded_.Delete(run->id());
    return shown;
  }
  if (place == RunQueue::Place::kQueued) {
    queue_.Add(run, job, std::move(own_wait));
    if (run->IsAskedToStop()) EndIfQueued(run);  // whoever asked may not have found it there
    starter_.Soon([this] { StartReady(); });
    return absl::OkStatus();
  }
  const absl::Status started = run->Start();
  if (started.ok()) return started;
  runs_.Remove({run});
  runs_.Done(run->id());
  discarded_.Delete(run->id());
  return started;
}

void Engine::StartReady() {
  while (const std::shared_ptr<Run> run = queue_.TakeReady()) {
    const bool wanted = !run->IsAskedToStop();
    const absl::Status started = wanted ? run->Start() : absl::OkStatus();
    if (wanted && started.ok()) continue;
    queue_.Leave(run->job(), RunQueue::Place::kAtWork);
    EndUnstarted(run, started);
  }
}

void Engine::RequestStop(const std::shared_ptr<Run>& run, StopReason reason) {
  run->RequestStop(reason);
  EndIfQueued(run);
}

// A run that still waits ends at once.
void Engine::EndIfQueued(const std::shared_ptr<Run>& run) {
  if (!queue_.Remove(run.get())) return;
  starter_.Soon([this] { StartReady(); });
  EndUnstarted(run);
}

// On a thread of its own, where nobody else waits while the store refuses this run. The engine may
// be gone as soon as the run has ended.
void Engine::EndUnstarted(const std::shared_ptr<Run>& run, const absl::Status& error) {
  try {
    std::thread([run, error] { run->EndUnstarted(error); }).detach();
  } catch (const std::system_error&) {
    starter_.Soon([run, error] { run->EndUnstarted(error); });  // the others wait with it
  }
}

absl::StatusOr<std::shared_ptr<Run>> Engine::Create(const v1::CreateRunRequest& request,
                                                    const Creator& creator) {
  auto created = FindOrCreate(request, creator);
  const absl::Status& status = created.status();
  if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status)) ++refused_runs_;
  return created;
}

absl::StatusOr<std::shared_ptr<Run>> Engine::FindOrCreate(const v1::CreateRunRequest& request,
                                                          const Creator& creator) {
  if (!creator.view.everything()) {
    const auto job = FindJobFor(creator, access::Verb::kRun, request.job());
    if (!job.ok()) return job.status();
  }
  const std::string& owner = creator.view.name();
  const std::string& request_id = request.request_id();
  const std::string id = ids_.Make(options_.clock->Now());
  if (request_id.empty()) return CreateNew(id, request, creator);
  auto parameters = request.parameters();
  if (const auto job = jobs_.Find(request.job()); job.ok()) {
    parameters = WithoutSecrets(**job, std::move(parameters));
  }
  const absl::StatusOr<std::string> found =
      request_ids_.Enter(request_id, RequestIds::DigestOf(request.job(), parameters), id, owner);
  if (!found.ok()) return found.status();
  if (*found != id) {
    auto known = runs_.Find(*found);
    if (!known.ok() || !creator.opens_log) return known;
    const absl::Status allowed =
        Allow(creator.caller, access::Verb::kReadLog, (*known)->job(), (*known)->id());
    if (!allowed.ok()) return allowed;
    return known;
  }
  auto run = CreateNew(id, request, creator);
  request_ids_.Settle(request_id, id, run.ok(), owner);
  return run;
}

absl::StatusOr<v1::Run> Engine::CreateRun(const v1::CreateRunRequest& request,
                                          const access::Caller& caller) {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const auto created = Create(request, {caller, *view});
  if (!created.ok()) return created.status();
  return view->Show((*created)->Get());
}

absl::StatusOr<v1::Run> Engine::CancelRun(const v1::CancelRunRequest& request,
                                          const access::Caller& caller) {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const auto run = FindRunFor({caller, *view}, access::Verb::kCancel, request.run());
  if (!run.ok()) return run.status();
  const absl::Status allowed = Allow(caller, access::Verb::kCancel, (*run)->job(), (*run)->id());
  if (!allowed.ok()) return allowed;
  RequestStop(*run, StopReason::kCancel);
  return view->Show((*run)->Get());
}

void Engine::CancelAbandoned(const std::string& run, const access::Caller& caller) {
  const auto everything = ViewOf({});
  if (!everything.ok()) return;
  const auto found = FindRunFor({{}, *everything}, access::Verb::kCancel, run);
  if (!found.ok()) return;
  if (!Allow(caller, access::Verb::kCancel, (*found)->job(), (*found)->id()).ok()) return;
  RequestStop(*found, StopReason::kCancel);
}

size_t Engine::Stop(absl::Duration grace) {
  {
    absl::MutexLock lock(&stop_mutex_);
    stopping_ = true;
  }
  for (const auto& run : runs_.Active()) RequestStop(run, StopReason::kShutdown);
  runs_.AwaitIdle(grace);
  return runs_.Active().size();
}

}  // namespace jobtail
