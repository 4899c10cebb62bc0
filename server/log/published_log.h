// The readers' side of a log: what is stored, its newest batches, and who waits for more.
#ifndef JOBTAIL_SERVER_LOG_PUBLISHED_LOG_H_
#define JOBTAIL_SERVER_LOG_PUBLISHED_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/wait_list.h"
#include "jobtail/v1/log.pb.h"
#include "server/log/batch.h"
#include "server/log/log_services.h"
#include "server/log/log_store.h"

namespace jobtail {

// The part of a log that readers see: what the store has of it, the newest batches in memory, the
// run's present state, and who waits for more. Where records are missing, it makes the gap that a
// reader gets in their place.
//
// Belongs to a Log and lives as long. Has a lock of its own, so that readers never hold up the
// thread that prints. Thread-safe, but for one rule: batches are published by one thread at a time,
// in their order.
//
// Hazard: Publish and MarkDeleted call waiting readers on the calling thread if they are few.
class PublishedLog {
 public:
  // A log that has no records yet. About `tail_bytes` of its newest stay in memory.
  PublishedLog(std::string run, const LogServices& services, size_t tail_bytes);
  // The log of a run that has ended, as the store has it.
  PublishedLog(const v1::Run& run, const LogExtent& extent, const LogServices& services);

  // A message about the present state, encoded as an element of a LogBatch. `version` grows with
  // every change of any.
  struct Present {
    SharedBytes bytes;
    int64_t version = 0;
  };
  struct Snapshot {
    int64_t last = 0;         // sequence number of the last record that readers can see
    int64_t total_lines = 0;  // up to there; see RunResult
    bool ended = false;
    Present run;
    Present progress;
    int64_t version = 0;  // the newest of the messages
  };

  // --- For the log, which has stored something ---

  // Readers can see `batches`, which continue the log, and are woken by Wake: a call of its own,
  // so that the log can go on meanwhile.
  void Publish(std::vector<Batch> batches);
  // The same for the last ones. `end` is called under the lock, before any reader can see the end;
  // it returns the run as it is from then on.
  void PublishEnd(std::vector<Batch> batches, absl::FunctionRef<v1::Run()> end);
  void Wake();

  // --- For the run (see Log) ---

  void SetRun(const v1::Run& run);
  void SetProgress(const v1::RunProgress& progress);
  void MarkDeleted();
  void SetFirst(int64_t first);

  // --- For readers (see Log) ---

  const std::string& run() const { return run_; }
  Snapshot GetSnapshot() const;
  absl::StatusOr<std::optional<Batch>> Read(int64_t sequence) const;
  absl::StatusOr<std::optional<Batch>> ReadOnce(int64_t sequence) const;
  std::optional<LogStore::CompressedBatch> ReadCompressed(int64_t sequence) const;
  std::optional<Batch> TryRead(int64_t sequence) const;
  bool IsInMemory(int64_t sequence) const;
  absl::StatusOr<int64_t> FindTime(int64_t unix_nanos) const;
  bool Wait(int64_t next, int64_t version, std::function<void()> wake, int64_t* id);
  void CancelWait(int64_t id);

 private:
  // What the tail has too much of.
  struct Surplus {
    std::vector<Batch> batches;  // held, so that they are destroyed without the lock
    bool is_wanted = false;      // by readers that are behind
  };

  v1::LogLine RunMessage(const v1::Run& run) const;
  void SetPresent(Present Snapshot::*slot, const v1::LogLine& message);
  void SetPresentLocked(Present Snapshot::*slot, const v1::LogLine& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Surplus PushLocked(std::vector<Batch> batches) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(const Surplus& surplus);
  void PopLocked(int64_t last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<Batch>> Read(int64_t sequence, bool keep) const;
  bool IsDeletedInStore() const;
  absl::StatusOr<Batch> MakeGap(int64_t sequence, const absl::StatusOr<Batch>& next) const;

  const std::string run_;
  const LogServices services_;
  const size_t tail_limit_;

  mutable absl::Mutex mutex_;
  std::deque<Batch> tail_ ABSL_GUARDED_BY(mutex_);
  size_t tail_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable int publishings_wanted_ ABSL_GUARDED_BY(mutex_) = 0;  // by readers that are behind
  Snapshot snapshot_ ABSL_GUARDED_BY(mutex_);
  int64_t last_time_ ABSL_GUARDED_BY(mutex_) = 0;  // of the record snapshot_.last
  int64_t first_ ABSL_GUARDED_BY(mutex_) = 1;      // what is older was deleted
  bool deleted_ ABSL_GUARDED_BY(mutex_) = false;
  WaitList waits_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_PUBLISHED_LOG_H_
