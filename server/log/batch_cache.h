#ifndef JOBTAIL_SERVER_LOG_BATCH_CACHE_H_
#define JOBTAIL_SERVER_LOG_BATCH_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"

namespace jobtail {

// What readers have in hand at this moment, and what was read from the store last, of all logs:
// whoever asks for the same batch gets the same buffer, so that a thousand readers which have
// stopped at one place hold one copy, and those who follow one another through a log have each
// batch read and decompressed once. Thread-safe.
class BatchCache {
 public:
  // Keeps about `bytes` of what was added last alive, with what it takes to find it.
  explicit BatchCache(size_t bytes) : most_(bytes) {}

  // The run's batch that begins with record `first`. Nullopt if it is not in memory; it may be in
  // the store.
  std::optional<Batch> Find(const std::string& run, int64_t first);

  // Notes `batch`; returns it or, where another thread has noted the same meanwhile, that.
  Batch Add(const std::string& run, Batch batch);

 private:
  using Key = std::pair<std::string, int64_t>;
  // A batch whose bytes may have gone.
  struct Known {
    Batch batch;  // without its bytes
    std::weak_ptr<const std::string_view> bytes;
  };

  static std::optional<Batch> Lock(const Known& known);
  void SweepLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  absl::Mutex mutex_;
  absl::flat_hash_map<Key, Known> known_ ABSL_GUARDED_BY(mutex_);
  size_t sweep_at_ ABSL_GUARDED_BY(mutex_) = 64;
  std::deque<SharedBytes> latest_ ABSL_GUARDED_BY(mutex_);
  size_t latest_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BATCH_CACHE_H_
