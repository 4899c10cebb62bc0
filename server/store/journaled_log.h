// One log of a JournaledStore: what of it waits in the journal.
#ifndef JOBTAIL_SERVER_STORE_JOURNALED_LOG_H_
#define JOBTAIL_SERVER_STORE_JOURNALED_LOG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"
#include "server/store/journal.h"

namespace jobtail {

// The batches of one log that are in the journal and not in the database, oldest first. Nothing is
// taken from here before the database has it: who looks here first and then there misses nothing.
// Thread-safe; what is added must follow what is there.
class WaitingBatches {
 public:
  void Add(const Batch& batch, Journal::Half half);

  // Forgets the oldest `count`, and returns where they were.
  std::vector<Journal::Half> Forget(size_t count);

  bool empty() const;
  size_t bytes() const;
  std::vector<Batch> All() const;
  // The first that ends with `sequence` or after it, and the first that ends at that time or later.
  std::optional<Batch> FindSequence(int64_t sequence) const;
  std::optional<Batch> FindTime(int64_t unix_nanos) const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<Batch> batches_ ABSL_GUARDED_BY(mutex_);
  std::vector<Journal::Half> halves_ ABSL_GUARDED_BY(mutex_);  // where each is
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// A log that grows. Shared by the store and whoever appends to it.
struct JournaledLog {
  explicit JournaledLog(std::string run_key) : key(std::move(run_key)) {}

  const std::string key;   // of the run, as in the database
  WaitingBatches waiting;  // changed only with `writing`
  // Held while something goes into the journal, and for moments. Nobody waits for the disk under
  // it.
  absl::Mutex writing;
  // What waits is being moved to the database, as one piece with what comes after it, or the run is
  // being deleted: more may go to the journal meanwhile, but nothing to the database.
  bool moving ABSL_GUARDED_BY(writing) = false;
  bool IsMoved() const ABSL_SHARED_LOCKS_REQUIRED(writing) { return !moving; }

  // Begins a move once no other is at work, and returns what waits. Whoever waits here holds no
  // other log's move up: it has begun none.
  std::vector<Batch> BeginMove() ABSL_LOCKS_EXCLUDED(writing);
  // The same, unless another is at work or nothing waits.
  std::optional<std::vector<Batch>> TryBeginMove() ABSL_LOCKS_EXCLUDED(writing);
  void EndMoveLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing) { moving = false; }
  int64_t last ABSL_GUARDED_BY(writing) = 0;  // the last record, wherever it is
};

// `batches`, which follow one another, as batches of at most `bytes`, unless one is larger already.
std::vector<Batch> Join(const std::vector<Batch>& batches, size_t bytes);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_JOURNALED_LOG_H_
