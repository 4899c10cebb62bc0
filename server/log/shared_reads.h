#ifndef JOBTAIL_SERVER_LOG_SHARED_READS_H_
#define JOBTAIL_SERVER_LOG_SHARED_READS_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"

namespace jobtail {

// What readers have in hand at this moment, and what was read last: those who ask for the same
// bytes get the same buffer, so that a thousand readers which have stopped at one place hold one
// copy, and those who follow one another through a log have each batch decompressed once.
// Thread-safe.
class SharedReads {
 public:
  // Keeps about `bytes` of what was read last alive.
  explicit SharedReads(size_t bytes) : most_(bytes) {}

  // Null if nobody has it.
  SharedBytes Find(const std::string& key);

  // Notes `bytes`; returns them, or what another thread has noted meanwhile.
  SharedBytes Add(const std::string& key, SharedBytes bytes);

 private:
  void SweepLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::weak_ptr<const std::string_view>> reads_
      ABSL_GUARDED_BY(mutex_);
  size_t sweep_at_ ABSL_GUARDED_BY(mutex_) = 64;
  std::deque<SharedBytes> latest_ ABSL_GUARDED_BY(mutex_);
  size_t latest_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_SHARED_READS_H_
