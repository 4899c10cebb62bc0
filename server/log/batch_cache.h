// A cache of batches, shared by the readers of all logs.
#ifndef JOBTAIL_SERVER_LOG_BATCH_CACHE_H_
#define JOBTAIL_SERVER_LOG_BATCH_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"

namespace jobtail {

// Batches of all logs that several readers may share: what they have in hand at this moment, what
// was read from the store last, and what those who are a little behind are about to read. Whoever
// asks for the same batch gets the same buffer: a thousand readers that have stopped at one place
// hold one copy, and those who follow one another through a log have each batch read and
// decompressed once. Thread-safe; never waits for the store.
class BatchCache {
 public:
  // Keeps about `bytes` of what was added last alive, with what it takes to find it. 0: notes
  // nothing, for a store that has everything in memory anyway.
  explicit BatchCache(size_t bytes) : most_(bytes) {}

  // The run's batch that contains `sequence`. Nullopt if none is known; the store may have one.
  std::optional<Batch> Find(const std::string& run, int64_t sequence);

  // Notes `batch`; returns it or, where one that begins alike and is no shorter is known, that.
  Batch Add(const std::string& run, Batch batch);

 private:
  // A batch whose bytes may have gone.
  struct Known {
    Batch batch;  // without its bytes
    std::weak_ptr<const std::string_view> bytes;
    std::weak_ptr<const std::string_view> compressed;
  };
  using Batches = absl::btree_map<int64_t, Known>;  // of a run, by their first records
  // A batch that is kept alive.
  struct Kept {
    std::string run;
    int64_t first;
    size_t size;  // of all that is kept for it
    SharedBytes bytes;
    SharedBytes compressed;
  };

  static std::optional<Batch> Lock(const Known& known);
  void TrimLocked(std::deque<SharedBytes>* forgotten) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EraseLocked(const Kept& kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SweepLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Batches> runs_ ABSL_GUARDED_BY(mutex_);
  std::deque<Kept> kept_ ABSL_GUARDED_BY(mutex_);
  size_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Those that are not kept any more, but were in somebody's hands then.
  size_t held_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t sweep_at_ ABSL_GUARDED_BY(mutex_) = 64;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BATCH_CACHE_H_
