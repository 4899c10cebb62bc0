// The decision when a log's lines are stored, and by which thread.
#ifndef JOBTAIL_SERVER_LOG_COMMIT_POLICY_H_
#define JOBTAIL_SERVER_LOG_COMMIT_POLICY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace jobtail {

// What a log holds that the store does not have yet.
struct Unsaved {
  size_t open_bytes = 0;      // in the batch that is still open
  size_t closed_batches = 0;  // that wait to be stored
  size_t bytes = 0;           // in all, with what is being stored at this moment
};

// The part of a log that decides when lines are stored, and by whom: the thread that printed them,
// or the committer (docs/decisions/0002). Times and sizes go in, decisions come out; it asks no
// clock and has no lock. Not thread-safe: the log's lock guards it.
//
// Time is told by the lines: they carry the time of day at which they were printed. It is used for
// differences alone, and only as far as they can be true: where somebody sets the clock back, no
// time passes for one line, and then it goes on as before.
class CommitPolicy {
 public:
  struct Limits {
    absl::Duration commit_delay;       // see LogOptions
    absl::Duration full_commit_delay;  // the same
    size_t unsaved_bytes;              // the same
  };
  explicit CommitPolicy(const Limits& limits);

  // --- What happens, in this order ---

  // A thread is about to add lines that it printed.
  void BeginAppend() { quiet_since_ = std::max(now_, stored_); }
  // It is about to add one, or to drop it.
  void Printed(int64_t time_unix_nanos) {
    if (time_unix_nanos <= newest_ || IsLaterBy(kLongestNanos, newest_, time_unix_nanos)) {
      return PrintedOutOfOrder(time_unix_nanos);
    }
    now_ += time_unix_nanos - newest_;
    newest_ = time_unix_nanos;
  }
  // The open batch gets its first record.
  void Opened() { opened_ = now_; }
  // A batch of `bytes` was closed, because it is full or to be stored.
  void Closed(size_t bytes);
  // The store has taken something, which took `took`. Where many runs store at once, the time that
  // a line has waited for its turn must not look like a pause of its job, or each would be stored
  // alone.
  void Stored(absl::Duration took);

  // --- What is to be done ---

  enum class When {
    kNothing,  // there is nothing to store
    kNow,      // by the thread that printed, if that may wait for the store; else by the committer
    kLater,    // by the committer, after DelayOf
  };
  struct Decision {
    When when = When::kNothing;
    bool close = false;  // the open batch is to be closed before
  };
  // For the thread that has just added something, if nobody is storing.
  Decision AfterAppend(const Unsaved& unsaved) const {
    if (unsaved.open_bytes == 0 && unsaved.closed_batches == 0) return {};
    if (IsDue(unsaved)) return {.when = When::kNow, .close = true};
    if (IsCrowded(unsaved)) return {.when = When::kNow, .close = ClosesOpen(unsaved)};
    return {.when = When::kLater};
  }

  // Whether whoever stores now is to store the open batch as well. One that fills is not cut short
  // because those before it are full.
  bool ClosesOpen(const Unsaved& unsaved) const {
    return unsaved.closed_batches == 0 || now_ - opened_ >= OpenDelay();
  }

  // How long after it was opened what waits is to be stored; zero if closed batches wait, unless
  // lines come so fast that more of them are soon there to be stored with them.
  absl::Duration DelayOf(const Unsaved& unsaved) const {
    return absl::Nanoseconds(DelayNanosOf(unsaved));
  }
  int64_t DelayNanosOf(const Unsaved& unsaved) const {  // the same, for each line
    const bool is_full = unsaved.closed_batches >= (filling_ ? kMostAtOnce : 1);
    return is_full ? 0 : OpenDelay();
  }
  // The part of it that is left.
  absl::Duration RestOf(const Unsaved& unsaved) const;

  // Whether lines have come fast enough to fill batches, until the next one is closed.
  bool FillsBatches() const { return filling_; }

  // How many closed batches are stored together at most. So few that readers can keep up; so many
  // that the threads on a line's way do not wake one another for each batch.
  static constexpr size_t kMostAtOnce = 4;
  // How many make the thread that prints help.
  static constexpr size_t kCrowd = 2 * kMostAtOnce;

 private:
  // A year. No step of time is longer: it is added to other times.
  static constexpr int64_t kLongestNanos = int64_t{365} * 24 * 60 * 60 * 1'000'000'000;

  // Whether `later` is later by more than `nanos`, however far apart they are.
  static bool IsLaterBy(int64_t nanos, int64_t earlier, int64_t later) {
    return static_cast<uint64_t>(later) - static_cast<uint64_t>(earlier) >
           static_cast<uint64_t>(nanos);
  }
  void PrintedOutOfOrder(int64_t time_unix_nanos);
  // The lines came after a pause, or the committer is late.
  bool IsDue(const Unsaved& unsaved) const {
    if (unsaved.open_bytes == 0) return false;
    return now_ - quiet_since_ >= commit_delay_ || (now_ - opened_) / 2 >= OpenDelay();
  }
  // So much waits for the committer that whoever prints is to help.
  bool IsCrowded(const Unsaved& unsaved) const {
    return unsaved.closed_batches >= kCrowd || unsaved.bytes >= unsaved_bytes_ / 2;
  }
  int64_t OpenDelay() const { return filling_ ? full_commit_delay_ : commit_delay_; }

  // In nanoseconds.
  const int64_t commit_delay_;
  const int64_t full_commit_delay_;
  const size_t unsaved_bytes_;

  // Moments are sums of the times that passed between lines.
  int64_t now_ = 0;
  int64_t newest_ = 0;  // the time of day, as the lines had it
  int64_t opened_ = 0;  // when the open batch got its first record
  int64_t stored_ = 0;  // when the store had last taken something
  int64_t quiet_since_ = 0;
  bool filling_ = false;  // lines come fast enough to fill batches within full_commit_delay
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_COMMIT_POLICY_H_
