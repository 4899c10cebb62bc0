// Deletes refused runs, some hundred at a time, until the store does.
#include "server/run/refused_runs.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace jobtail {
namespace {

constexpr absl::Duration kAgain = absl::Seconds(1);
constexpr size_t kAtOnce = 128;

}  // namespace

void RefusedRuns::Delete(const std::string& run) {
  const absl::Status deleted = store_->DeleteRun(run);
  if (!deleted.ok() && !absl::IsNotFound(deleted)) DeleteLater(run);
}

void RefusedRuns::DeleteLater(const std::string& run) {
  absl::MutexLock lock(&mutex_);
  if (left_.size() >= kMost) return;
  left_.push_back(run);
  ScheduleLocked();
}

void RefusedRuns::ScheduleLocked() {
  if (left_.empty() || std::exchange(scheduled_, true)) return;
  retries_->After(kAgain, [this] { TryAgain(); });
}

void RefusedRuns::TryAgain() {
  std::vector<std::string> runs;
  {
    absl::MutexLock lock(&mutex_);
    runs.swap(left_);
  }
  size_t done = 0;
  while (done < runs.size()) {
    const auto part = absl::MakeConstSpan(runs).subspan(done, kAtOnce);
    if (!store_->DeleteRuns(part).ok()) break;
    done += part.size();
  }
  absl::MutexLock lock(&mutex_);
  left_.insert(left_.end(), runs.begin() + static_cast<std::ptrdiff_t>(done), runs.end());
  scheduled_ = false;
  ScheduleLocked();
}

}  // namespace jobtail
