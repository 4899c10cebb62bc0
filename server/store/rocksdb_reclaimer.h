// Gives the room on the disk back that deleted batches have taken.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_RECLAIMER_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_RECLAIMER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "server/store/rocksdb_reopenable.h"

namespace jobtail {

// Remembers which ranges of keys were deleted and, on a thread of its own, has RocksDB drop the
// files in which there is nothing else and write those anew that have something else. It does so
// once enough has come together, or some time after the first.
//
// A store owns it; `database` outlives it. Thread-safe. Where RocksDB fails, the room stays taken
// for now, the server's log says so, and it is tried again after that time; but not what cannot be
// had for damage, of which the files in which there is nothing else are gone all the same.
class Reclaimer {
 public:
  // Keys from `begin` up, below `end`, in both families of a log.
  struct Range {
    std::string begin;
    std::string end;
  };

  // `bytes` deleted bytes are enough, and `delay` is how long the first waits for others.
  Reclaimer(const ReopenableDatabase* database, int64_t bytes, absl::Duration delay);
  // Gives up what it is at.
  ~Reclaimer();

  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // Everything in `range`, some `bytes`, has been deleted.
  void Add(Range range, int64_t bytes);

 private:
  void Reclaim();
  absl::Status Reclaim(const Database* database, const std::vector<Range>& ranges) const;

  const ReopenableDatabase* const database_;
  const int64_t enough_bytes_;
  const absl::Duration delay_;

  absl::Mutex mutex_;
  std::vector<Range> deleted_ ABSL_GUARDED_BY(mutex_);
  int64_t deleted_bytes_ ABSL_GUARDED_BY(mutex_) = 0;

  Scheduler thread_;  // last: it uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_RECLAIMER_H_
