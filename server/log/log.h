// A run's log: where what a job prints meets the store and the readers.
#ifndef JOBTAIL_SERVER_LOG_LOG_H_
#define JOBTAIL_SERVER_LOG_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "jobtail/v1/log.pb.h"
#include "server/log/batch.h"
#include "server/log/batch_builder.h"
#include "server/log/commit_policy.h"
#include "server/log/log_options.h"
#include "server/log/log_services.h"
#include "server/log/log_store.h"
#include "server/log/published_log.h"
#include "server/log/record.h"

namespace jobtail {

// The log of one run: numbers what the job prints, encodes it once, stores it, and shows it to
// readers once the store has it. Held by shared_ptr: by its run and by its readers. Thread-safe.
//
// Hazard: Append and Finish may wait for the store, and wake a few readers on the calling thread.
// TryAppend and LeaveOut do neither.
//
// It has three parts (docs/decisions/0025): BatchBuilder numbers and encodes, CommitPolicy decides
// when to store and who does, PublishedLog is what readers see. Here they are put together, under
// the lock of the first two. In short: the thread that prints stores a line that comes alone, so
// that no other thread delays it. Lines that come thick and fast are collected and stored together
// by the committer, beside the thread that prints on, which helps where full batches wait.
class Log : public std::enable_shared_from_this<Log> {
 public:
  using Present = PublishedLog::Present;
  using Snapshot = PublishedLog::Snapshot;

  // The store must know the run (PutRun) with an empty log.
  Log(std::string run, LogServices services, LogOptions options = {});
  ~Log();

  // The log of a run that has ended: what the store has of it, for readers alone.
  static std::shared_ptr<Log> OpenEnded(const v1::Run& run, const LogExtent& extent,
                                        LogServices services);

  // --- For the job ---

  // Appends lines in the given order, and may store them. Blocks while the bound on unsaved bytes
  // is reached, unless lines beyond it are dropped.
  void Append(absl::Span<const TextLine> lines);

  // Appends lines and leaves storing them to the committer, which is woken at once for lines that
  // come alone. Never waits for the store, nor for anybody who does. Returns false, having appended
  // nothing, where Append would block.
  bool TryAppend(absl::Span<const TextLine> lines);

  // Appends a gap in place of `count` lines that are not kept. Never waits, and leaves storing it
  // to what is appended after it.
  void LeaveOut(int64_t count, v1::GapReason reason, int64_t time_unix_nanos);

  // Appends the last record: `result`, with the totals filled in; of bytes, added to those that it
  // says were printed and not appended. Returns once the store has it; keeps trying for as long as
  // the store refuses. `on_stored` is called with the record before any reader can see it, under a
  // lock of the log, and returns the run for readers that come later. To be called once; nothing
  // may be appended after it.
  void Finish(v1::RunResult result, absl::FunctionRef<v1::Run(const v1::RunResult&)> on_stored);

  // Replaces the present state that readers are told beside the records.
  void SetRun(const v1::Run& run) { published_.SetRun(run); }
  void SetProgress(const v1::RunProgress& progress) { published_.SetProgress(progress); }

  // Ends every reader with NOT_FOUND, once the caller has deleted the log from the store.
  void MarkDeleted() { published_.MarkDeleted(); }

  // Readers find a gap in place of the records before `first`, which the caller then deletes.
  void SetFirst(int64_t first) { published_.SetFirst(first); }

  // --- For readers ---

  const std::string& run() const { return published_.run(); }
  Clock* clock() const { return services_.clock; }

  Snapshot GetSnapshot() const { return published_.GetSnapshot(); }

  // The batch that contains `sequence`; nullopt if that is past the last record. For records that
  // are missing, a batch with a gap in their place, from `sequence` on.
  absl::StatusOr<std::optional<Batch>> Read(int64_t sequence) const {
    return published_.Read(sequence);
  }

  // The same for a reader who is the only one to need it: what comes from the store is not kept in
  // memory for others.
  absl::StatusOr<std::optional<Batch>> ReadOnce(int64_t sequence) const {
    return published_.ReadOnce(sequence);
  }

  // The batch that begins with `sequence` as the store has it compressed, for who sends it on so.
  // Nullopt where it is not to be had in this way: Read it.
  std::optional<LogStore::CompressedBatch> ReadCompressed(int64_t sequence) const {
    return published_.ReadCompressed(sequence);
  }

  // The batch that contains `sequence` from memory alone: it never waits for the store. Nullopt
  // also if the batch is not there.
  std::optional<Batch> TryRead(int64_t sequence) const { return published_.TryRead(sequence); }

  // Whether TryRead would find the batch now; it may be gone a moment later. True past the last
  // record.
  bool IsInMemory(int64_t sequence) const { return published_.IsInMemory(sequence); }

  // The sequence number of the first record made at or after `unix_nanos`, one past the last if
  // there is none.
  absl::StatusOr<int64_t> FindTime(int64_t unix_nanos) const {
    return published_.FindTime(unix_nanos);
  }

  // Has `wake` called once when there is a record `next`, a state newer than `version`, or the end;
  // on whatever thread brings it about, without locks held: it must not block. Returns false,
  // forgetting `wake`, if that is so already.
  // `*id` is for CancelWait.
  bool Wait(int64_t next, int64_t version, std::function<void()> wake, int64_t* id) {
    return published_.Wait(next, version, std::move(wake), id);
  }

  // Forgets a `wake` that has not been called. One that is just being called is not waited for.
  void CancelWait(int64_t id) { published_.CancelWait(id); }

 private:
  struct Ended {};  // tells the constructors apart
  using Publish = absl::FunctionRef<void(std::vector<Batch>)>;

  Log(Ended, const v1::Run& run, const LogExtent& extent, LogServices services);

  // Those that are for each line are inline in log.cc, which alone uses them.
  inline bool HasRoomLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountUnsavedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  inline bool DropsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  inline bool AcceptsLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsIdleLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !storing_; }
  inline Unsaved UnsavedLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  inline CommitPolicy::When AppendLocked(absl::Span<const TextLine> lines)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  inline void AppendLineLocked(const TextLine& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddGapLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  inline bool IsScheduledLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Scheduler* CommitterLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void ScheduleLocked(absl::Duration delay) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CommitScheduled(int64_t schedule);
  void CommitLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool StoreLocked(std::vector<Batch> batches, bool sync, Publish publish)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefusedLocked(std::vector<Batch> batches, const absl::Status& error)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitRetry() const;

  const LogServices services_;
  const LogOptions options_;
  PublishedLog published_;

  mutable absl::Mutex mutex_;  // taken before that of published_
  BatchBuilder builder_ ABSL_GUARDED_BY(mutex_);
  CommitPolicy policy_ ABSL_GUARDED_BY(mutex_);
  bool storing_ ABSL_GUARDED_BY(mutex_) = false;  // somebody is at the store: one at a time
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;  // the store refused the last attempt
  bool full_ ABSL_GUARDED_BY(mutex_) = false;     // because it has no room
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t counted_ ABSL_GUARDED_BY(mutex_) = 0;  // of its bytes, in services_.unsaved
  // The committer's next visit, and which one's.
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t scheduled_first_ ABSL_GUARDED_BY(mutex_) = 0;  // the first record unsaved then
  int64_t scheduled_delay_ ABSL_GUARDED_BY(mutex_) = 0;  // the policy's then, in nanoseconds
  Scheduler* scheduled_at_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Scheduler::Id scheduled_id_ ABSL_GUARDED_BY(mutex_);
  int64_t schedules_ ABSL_GUARDED_BY(mutex_) = 0;  // only the latest counts
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_H_
