// When lines are stored, and by whom.
#include "server/log/commit_policy.h"

#include <algorithm>

#include "server/log/batch.h"

namespace jobtail {
namespace {

// Threads may be a little late with lines that they dated before others. A line that is older than
// the newest by more than this was dated by a clock that has been set back.
constexpr int64_t kLateNanos = 100'000'000;

// A delay of more than `longest` is one of `longest`.
int64_t Nanoseconds(absl::Duration duration, int64_t longest) {
  return absl::ToInt64Nanoseconds(std::min(duration, absl::Nanoseconds(longest)));
}

}  // namespace

CommitPolicy::CommitPolicy(const Limits& limits)
    : commit_delay_(Nanoseconds(limits.commit_delay, kLongestNanos)),
      full_commit_delay_(Nanoseconds(limits.full_commit_delay, kLongestNanos)),
      unsaved_bytes_(limits.unsaved_bytes) {}

void CommitPolicy::PrintedOutOfOrder(int64_t time_unix_nanos) {
  if (time_unix_nanos > newest_) {
    now_ += kLongestNanos;
    newest_ = time_unix_nanos;
  } else if (IsLaterBy(kLateNanos, time_unix_nanos, newest_)) {
    newest_ = time_unix_nanos;
  }
}

void CommitPolicy::Closed(size_t bytes) {
  const int64_t waited = std::max(now_ - opened_, commit_delay_);
  filling_ = static_cast<double>(bytes) / static_cast<double>(kBatchBytes) >=
             static_cast<double>(waited) / static_cast<double>(full_commit_delay_);
}

void CommitPolicy::Stored(absl::Duration took) {
  stored_ = now_ + Nanoseconds(took, kLongestNanos);
}

absl::Duration CommitPolicy::RestOf(const Unsaved& unsaved) const {
  const absl::Duration delay = DelayOf(unsaved);
  return delay - std::min(delay, absl::Nanoseconds(now_ - opened_));
}

}  // namespace jobtail
