#ifndef JOBTAIL_SERVER_LOG_LOG_H_
#define JOBTAIL_SERVER_LOG_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/scheduler.h"
#include "base/wait_list.h"
#include "jobtail/v1/log.pb.h"
#include "server/log/batch.h"
#include "server/log/batch_cache.h"
#include "server/log/log_store.h"
#include "server/log/record.h"

namespace jobtail {

struct LogOptions {
  // What a log may hold that the store does not have yet, in bytes. At the bound the job waits or,
  // if it was declared so or the store is full, its lines are dropped, and a gap says which.
  size_t unsaved_bytes = 8 << 20;
  bool drop_when_full = false;
  // How much of the end of a log readers find in memory, in bytes of encoded records.
  size_t tail_bytes = 1 << 20;
  // How long lines that follow closely on one another are collected before they are stored
  // together; and how long at most where they come so fast that they fill whole batches.
  absl::Duration commit_delay = absl::Microseconds(200);
  absl::Duration full_commit_delay = absl::Milliseconds(2);
};

// What logs share. All outlive them.
struct LogServices {
  LogStore* store;
  BatchCache* cache;     // of what was read from the store, or is about to be
  Scheduler* committer;  // stores lines that were collected
  Scheduler* waker;      // wakes readers where there are many
};

// The log of one run: numbers what the job prints, encodes it once, stores it, and shows it to
// readers once the store has it. Held by shared_ptr: by its run and by its readers. Thread-safe.
//
// The thread that prints stores its line itself if nothing was printed or stored for `commit_delay`
// before it: no other thread delays a line that comes alone. Lines that come thick and fast are
// collected and stored together by the committer, beside the thread that prints on, which helps
// where full batches wait (docs/decisions/0002).
class Log : public std::enable_shared_from_this<Log> {
 public:
  // The store must know the run (PutRun) with an empty log.
  Log(std::string run, LogServices services, LogOptions options = {});

  // The log of a run that has ended: what the store has of it, for readers alone.
  static std::shared_ptr<Log> OpenEnded(const v1::Run& run, const LogExtent& extent,
                                        LogServices services);

  // --- For the job ---

  // Appends lines in the given order. Blocks while the bound on unsaved bytes is reached, unless it
  // is to drop them.
  void Append(absl::Span<const TextLine> lines);
  // The same, but returns false, having appended nothing, where Append would block.
  bool TryAppend(absl::Span<const TextLine> lines);

  // Appends the last record: `result`, with the totals filled in: of bytes, added to those
  // that it says were printed and not appended. Returns once the store has it;
  // keeps trying for as long as the store refuses. `on_stored` is called with the record before any
  // reader can see it, under the log's lock, and returns the run for readers that come later. To be
  // called once; nothing may be appended after it.
  void Finish(v1::RunResult result, absl::FunctionRef<v1::Run(const v1::RunResult&)> on_stored);

  // Replaces the present state that readers are told beside the records.
  void SetRun(const v1::Run& run);
  void SetProgress(const v1::RunProgress& progress);

  // Ends every reader with NOT_FOUND, once the caller has deleted the log from the store.
  void MarkDeleted();

  // Readers find a gap in place of the records before `first`, which the caller then deletes.
  void SetFirst(int64_t first);

  // --- For readers ---

  // A message about the present state, encoded as an element of a LogBatch. `version` grows with
  // every change of any.
  struct Present {
    SharedBytes bytes;
    int64_t version = 0;
  };
  struct Snapshot {
    int64_t last = 0;  // sequence number of the last record that readers can see
    bool ended = false;
    Present run;
    Present progress;
    int64_t version = 0;  // the newest of the messages
  };
  Snapshot GetSnapshot() const;

  const std::string& run() const { return run_; }

  // The batch that contains `sequence`; nullopt if that is past the last record. For records that
  // are missing, a batch with a gap in their place, from `sequence` on.
  absl::StatusOr<std::optional<Batch>> Read(int64_t sequence) const;

  // Whether Read would answer without the store.
  bool IsInMemory(int64_t sequence) const;

  // The sequence number of the first record made at or after `unix_nanos`, one past the last if
  // there is none.
  absl::StatusOr<int64_t> FindTime(int64_t unix_nanos) const;

  // Has `wake` called once when there is a record `next`, a state newer than `version`, or the end;
  // on whatever thread brings it about, without locks held: it must not block. Returns false,
  // forgetting `wake`, if that is so already.
  // `*id` is for CancelWait.
  bool Wait(int64_t next, int64_t version, std::function<void()> wake, int64_t* id);

  // Forgets a `wake` that has not been called. One that is just being called is not waited for.
  void CancelWait(int64_t id);

 private:
  using OnStored = absl::FunctionRef<void()>;

  bool HasRoomLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DropsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TakesLinesLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasGapLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsNotCommittingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendLocked(absl::Span<const TextLine> lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendLineLocked(const TextLine& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendGapLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendResultLocked(const v1::RunResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AppendRecordLocked(const v1::LogLine& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SealLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsScheduledLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ScheduleLocked(absl::Duration delay) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ScheduleRestLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDueLocked(int64_t quiet_since) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsCrowdedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasUnsavedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t OpenDelayLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t DelayLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool FillsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CommitScheduled(int64_t schedule);
  bool CommitLocked(bool sync, OnStored on_stored) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Batch> TakeSealedLocked(bool all) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PublishLocked(std::vector<Batch> batches) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PopTailLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeLocked(bool here) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDeleted() const;
  absl::StatusOr<Batch> MakeGap(int64_t sequence, const absl::StatusOr<Batch>& next) const;
  void SetPresent(Present Snapshot::*slot, const v1::LogLine& message);
  void SetPresentLocked(Present Snapshot::*slot, const v1::LogLine& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string run_;
  const LogServices services_;
  const LogOptions options_;
  const int64_t commit_delay_;  // in nanoseconds, as in the options
  const int64_t full_commit_delay_;

  mutable absl::Mutex mutex_;
  // The records that the store does not have yet: closed batches, then the open one.
  std::vector<Batch> sealed_ ABSL_GUARDED_BY(mutex_);
  std::string open_ ABSL_GUARDED_BY(mutex_);
  int64_t open_first_ ABSL_GUARDED_BY(mutex_) = 1;
  int64_t open_time_ ABSL_GUARDED_BY(mutex_) = 0;     // of the first record in open_
  size_t unsaved_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // with those that are being stored
  int64_t encoded_ ABSL_GUARDED_BY(mutex_) = 0;       // the last record in open_, or before it
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 1;          // those between were dropped
  v1::GapReason gap_reason_ ABSL_GUARDED_BY(mutex_) = v1::GAP_REASON_UNSPECIFIED;
  int64_t last_time_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t total_lines_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t total_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool committing_ ABSL_GUARDED_BY(mutex_) = false;
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;  // the store refused the last attempt
  bool full_ ABSL_GUARDED_BY(mutex_) = false;     // because it has no room
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t scheduled_first_ ABSL_GUARDED_BY(mutex_) = 0;  // the first record unsaved then
  int64_t scheduled_delay_ ABSL_GUARDED_BY(mutex_) = 0;  // DelayLocked() at that time
  int64_t schedules_ ABSL_GUARDED_BY(mutex_) = 0;        // only the latest counts
  bool filling_ ABSL_GUARDED_BY(mutex_) = false;         // lines come fast enough to fill batches
  // Of the newest line then, and what storing it took, in Unix nanoseconds.
  int64_t last_commit_time_ ABSL_GUARDED_BY(mutex_) = 0;
  // What readers see.
  std::deque<Batch> tail_ ABSL_GUARDED_BY(mutex_);
  size_t tail_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable int publishings_wanted_ ABSL_GUARDED_BY(mutex_) = 0;  // by readers that are behind
  Snapshot snapshot_ ABSL_GUARDED_BY(mutex_);
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t first_ ABSL_GUARDED_BY(mutex_) = 1;  // what is older was deleted
  bool deleted_ ABSL_GUARDED_BY(mutex_) = false;
  WaitList waits_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_H_
