// Which runs and records go.
#include "server/run/retention.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/codec/run_state.h"

namespace jobtail {
namespace {

bool IsOver(int64_t value, int64_t limit) { return limit > 0 && value > limit; }

uint32_t FinalStates() {
  uint32_t states = 0;
  for (int state = v1::RunState_MIN + 1; state < v1::RunState_ARRAYSIZE; ++state) {
    if (IsFinal(static_cast<v1::RunState>(state))) states |= 1U << state;
  }
  return states;
}

}  // namespace

Retention::Retention(const RetentionOptions& options, RunTable* runs, LogStore* store, Clock* clock,
                     OfJob of_job, DeleteRuns delete_runs)
    : options_(options),
      runs_(runs),
      store_(store),
      clock_(clock),
      of_job_(std::move(of_job)),
      delete_runs_(std::move(delete_runs)),
      began_(clock->Steady()),
      began_at_(clock->Now()) {}

bool Retention::HasLimits() const {
  return options_.max_age > absl::ZeroDuration() || options_.max_total_bytes > 0 ||
         options_.max_run_bytes > 0 || options_.max_runs > 0;
}

void Retention::Apply() {
  absl::MutexLock lock(&mutex_);
  const std::optional<absl::Duration> set_back = SetBack();
  for (const auto& [name, job] : LookAtJobs()) {
    DeleteOld(name, job.keep.max_age.value_or(options_.max_age), set_back);
  }
  for (const auto& [name, job] : LookAtJobs()) {
    const int64_t most = job.keep.max_runs.value_or(0);
    int64_t count = job.count;
    if (IsOver(count, most)) DeleteOldest(name, [&](const Run&) { return count-- > most; });
  }
  const Jobs jobs = LookAtJobs();
  int64_t bytes = TrimAll(jobs);
  int64_t count = 0;
  for (const auto& [name, job] : jobs) count += job.count;
  if (!IsOver(count, options_.max_runs) && !IsOver(bytes, options_.max_total_bytes)) return;
  DeleteOldest("", [&](Run& run) {
    const bool too_much =
        IsOver(count, options_.max_runs) || IsOver(bytes, options_.max_total_bytes);
    --count;
    if (options_.max_total_bytes > 0) bytes -= BytesOf(run);
    return too_much;
  });
}

Retention::Jobs Retention::LookAtJobs() const {
  Jobs jobs;
  for (const auto& [key, count] : runs_->Count()) {
    const auto [job, is_new] = jobs.try_emplace(key.first);
    if (is_new) job->second.keep = of_job_(key.first);
    job->second.count += count;
  }
  return jobs;
}

// Trims logs that are too large. Returns how large all are together, 0 where there is no limit.
int64_t Retention::TrimAll(const Jobs& jobs) {
  const auto most_of = [&](const std::string& job) {
    const auto found = jobs.find(job);
    return found == jobs.end() ? options_.max_run_bytes
                               : found->second.keep.max_run_bytes.value_or(options_.max_run_bytes);
  };
  const bool any_limit =
      options_.max_total_bytes > 0 ||
      std::ranges::any_of(jobs, [&](const auto& job) { return most_of(job.first) > 0; });
  int64_t bytes = 0;
  std::string after;
  Runs runs;
  while (any_limit && !(runs = runs_->ListOldest(after, kBatch, {})).empty()) {
    for (const auto& run : runs) {
      const int64_t most = most_of(run->job());
      if (most > 0) Trim(*run, most);
      if (options_.max_total_bytes > 0) bytes += BytesOf(*run);
    }
    after = runs.back()->id();
  }
  return bytes;
}

// By how much the clock was set back while it settled; nullopt while it does. One that was set
// forward makes no run older: that may be the mistake.
std::optional<absl::Duration> Retention::SetBack() {
  const absl::Duration passed = clock_->Steady() - began_;
  if (set_back_ || passed < options_.settling) return set_back_;
  const absl::Duration back = passed - (clock_->Now() - began_at_);
  set_back_ = std::max(back, absl::ZeroDuration());
  if (back > absl::Minutes(1)) {
    spdlog::info("the clock was set back by {} since the start: runs are younger by as much",
                 absl::FormatDuration(absl::Trunc(back, absl::Seconds(1))));
  }
  return set_back_;
}

// Deletes the job's runs that have ended so long ago, the first to end first.
void Retention::DeleteOld(const std::string& job, absl::Duration max_age,
                          std::optional<absl::Duration> set_back) {
  if (max_age <= absl::ZeroDuration()) return;
  while (true) {
    const absl::Duration time = clock_->Steady() - max_age;
    const absl::Duration of_earlier = set_back ? time - *set_back : -absl::InfiniteDuration();
    const Runs runs = runs_->ListEnded(job, time, of_earlier, kBatch);
    if (runs.empty() || Delete(runs) == 0) return;
  }
}

// Deletes runs that have ended, the oldest first, for as long as they are too much.
void Retention::DeleteOldest(const std::string& job,
                             const std::function<bool(Run& run)>& is_too_much) {
  static const uint32_t ended = FinalStates();
  std::string after;
  while (true) {
    Runs runs = runs_->ListOldest(after, kBatch, {job, ended});
    if (runs.empty()) return;
    after = runs.back()->id();
    const auto first_kept =
        std::ranges::find_if_not(runs, [&](const auto& run) { return is_too_much(*run); });
    const bool is_last = first_kept != runs.end();
    runs.erase(first_kept, runs.end());
    if (runs.empty() || Delete(runs) == 0 || is_last) return;
  }
}

// Readers are told of the gap before the records go.
void Retention::Trim(Run& run, int64_t max_bytes) {
  if (!IsOver(BytesOf(run), max_bytes)) return;
  const absl::StatusOr<int64_t> first = store_->FindBytes(run.id(), max_bytes);
  if (!first.ok()) return;
  const auto log = run.OpenLog();
  if (!log.ok()) return;
  (*log)->SetFirst(*first);
  const absl::Status trimmed = store_->Trim(run.id(), *first);
  if (!trimmed.ok()) {
    spdlog::error("run {}: its oldest records cannot be deleted: {}", run.id(), trimmed.ToString());
  }
  run.set_log_bytes(-1);
}

// The log of a run that has ended does not change by itself.
int64_t Retention::BytesOf(Run& run) {
  if (run.log_bytes() >= 0) return run.log_bytes();
  const bool ended = IsFinal(run.state());
  const absl::StatusOr<LogExtent> extent = store_->GetExtent(run.id());
  if (!extent.ok()) return 0;
  if (ended) run.set_log_bytes(extent->bytes);
  return extent->bytes;
}

// Returns how many are deleted. One that cannot be deleted does not keep the others.
size_t Retention::Delete(const Runs& runs) {
  absl::Status deleted = delete_runs_(runs);
  if (deleted.ok()) return runs.size();
  size_t count = 0;
  for (const auto& run : runs) {
    if (!runs_->Find(run->id()).ok()) {
      ++count;
      continue;
    }
    deleted = delete_runs_({&run, 1});
    if (deleted.ok()) {
      ++count;
    } else {
      spdlog::error("run {}: it cannot be deleted: {}", run->id(), deleted.ToString());
    }
  }
  return count;
}

}  // namespace jobtail
