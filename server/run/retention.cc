// Which runs and records go.
#include "server/run/retention.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace jobtail {
namespace {

bool IsOver(int64_t value, int64_t limit) { return limit > 0 && value > limit; }

bool IsOlder(const Run& run, absl::Duration max_age) {
  return max_age > absl::ZeroDuration() && run.SinceEnd() > max_age;
}

struct OwnLimits {
  JobRetention keep;
  int64_t count = 0;
};

}  // namespace

Retention::Retention(const RetentionOptions& options, RunTable* runs, LogStore* store, OfJob of_job,
                     DeleteRun delete_run)
    : options_(options),
      runs_(runs),
      store_(store),
      of_job_(std::move(of_job)),
      delete_run_(std::move(delete_run)) {}

bool Retention::HasLimits() const {
  return options_.max_age > absl::ZeroDuration() || options_.max_total_bytes > 0 ||
         options_.max_run_bytes > 0 || options_.max_runs > 0;
}

void Retention::Apply() {
  absl::MutexLock lock(&mutex_);
  Runs runs = runs_->List("", std::numeric_limits<size_t>::max(), [](const Run&) { return true; });
  std::ranges::reverse(runs);  // oldest first
  int64_t count = static_cast<int64_t>(runs.size());
  int64_t bytes = 0;
  absl::flat_hash_map<std::string, OwnLimits> jobs;
  for (const auto& run : runs) {
    OwnLimits& own = jobs.try_emplace(run->job(), OwnLimits{of_job_(run->job())}).first->second;
    ++own.count;
    const int64_t run_bytes = own.keep.max_run_bytes.value_or(options_.max_run_bytes);
    if (run_bytes > 0) TrimLocked(*run, run_bytes);
    if (options_.max_total_bytes > 0) bytes += BytesOfLocked(*run);
  }
  for (const auto& run : runs) {
    if (!IsFinal(run->state())) continue;
    OwnLimits& own = jobs.at(run->job());
    const bool too_many = IsOver(count, options_.max_runs) ||
                          IsOver(bytes, options_.max_total_bytes) ||
                          IsOver(own.count, own.keep.max_runs.value_or(0));
    if (!too_many && !IsOlder(*run, own.keep.max_age.value_or(options_.max_age))) continue;
    const int64_t run_bytes = options_.max_total_bytes > 0 ? BytesOfLocked(*run) : 0;
    if (!DeleteLocked(*run)) continue;
    --count;
    --own.count;
    bytes -= run_bytes;
  }
}

// Readers are told of the gap before the records go.
void Retention::TrimLocked(Run& run, int64_t max_bytes) {
  if (!IsOver(BytesOfLocked(run), max_bytes)) return;
  const absl::StatusOr<int64_t> first = store_->FindBytes(run.id(), max_bytes);
  if (!first.ok()) return;
  const auto log = run.OpenLog();
  if (!log.ok()) return;
  (*log)->SetFirst(*first);
  const absl::Status trimmed = store_->Trim(run.id(), *first);
  if (!trimmed.ok()) {
    spdlog::error("run {}: its oldest records cannot be deleted: {}", run.id(), trimmed.ToString());
  }
  bytes_.erase(run.id());
}

int64_t Retention::BytesOfLocked(const Run& run) {
  const bool ended = IsFinal(run.state());
  if (const auto known = bytes_.find(run.id()); known != bytes_.end()) return known->second;
  const absl::StatusOr<LogExtent> extent = store_->GetExtent(run.id());
  if (!extent.ok()) return 0;
  if (ended) bytes_.emplace(run.id(), extent->bytes);
  return extent->bytes;
}

bool Retention::DeleteLocked(const Run& run) {
  const absl::Status deleted = delete_run_(run.id());
  if (!deleted.ok() && !absl::IsNotFound(deleted)) {
    spdlog::error("run {}: it cannot be deleted: {}", run.id(), deleted.ToString());
    return false;
  }
  bytes_.erase(run.id());
  return true;
}

}  // namespace jobtail
