// A disk whose syncs a test holds up, or has fail.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_SYNC_DISK_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_SYNC_DISK_H_

#include <rocksdb/env.h>
#include <rocksdb/io_status.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobtail::testing {

// The files of this machine. Syncs of write-ahead logs wait or fail as a test wants it, by whatever
// call they are asked for; everything else goes through. Thread-safe. It must not hold syncs up
// when a store on it is destroyed.
class SyncDisk {
 public:
  SyncDisk();

  rocksdb::Env* env() { return env_.get(); }

  // Syncs wait from now on, but for those that Admit lets through.
  void SetStalled(bool stalled) ABSL_LOCKS_EXCLUDED(mutex_);
  void Admit(int syncs) ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until one is waiting that has not been let through. False if none does within `patience`.
  bool AwaitStalled(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);
  // The store's own syncs fail from now on; RocksDB's, of a log that it closes, do not: it would
  // not recover from that within the process.
  void SetFailing(bool failing) ABSL_LOCKS_EXCLUDED(mutex_);
  // The store's own next sync fails, and none after it.
  void FailNext() ABSL_LOCKS_EXCLUDED(mutex_);
  // Folders cannot be listed from now on.
  void SetUnlisted(bool unlisted) { unlisted_ = unlisted; }
  // How many have returned, with whatever result.
  int64_t syncs() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Files;

  rocksdb::IOStatus OnSync() ABSL_LOCKS_EXCLUDED(mutex_);

  std::atomic<bool> unlisted_ = false;

  mutable absl::Mutex mutex_;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  int admitted_ ABSL_GUARDED_BY(mutex_) = 0;
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  bool fails_next_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_SYNC_DISK_H_
