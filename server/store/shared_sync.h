// One sync of a file for all who wait for one.
#ifndef JOBTAIL_SERVER_STORE_SHARED_SYNC_H_
#define JOBTAIL_SERVER_STORE_SHARED_SYNC_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace jobtail {

// Decides who of many threads asks the disk for a sync. Whoever syncs waits for a sync that begins
// after it has asked, and shares it with all who wait for the same: for the rest of one sync and
// the whole of another at most, however many others ask meanwhile. Writers wait for nobody.
//
// Whoever owns what is synced owns it. Thread-safe.
class SharedSync {
 public:
  // Forces what was written onto the disk. Only one call is at work at a time.
  using SyncNow = absl::FunctionRef<absl::Status()>;

  // To be called once a write has returned: the next Sync is for it, too.
  void NoteWrite() { writes_.fetch_add(1, std::memory_order_acq_rel); }

  // Returns when what was noted before is on the disk, by `sync_now` or by that of another thread.
  // Nothing to do is OK. After an error all who wait are told so, and so is everybody who asks
  // until Restart: another try could succeed where the system has dropped what it could not write.
  absl::Status Sync(SyncNow sync_now);

  // Forgets the error, for an owner who has seen to what was written before.
  void Restart();

 private:
  std::atomic<int64_t> writes_ = 0;  // that were noted

  absl::Mutex mutex_;  // held for moments only
  absl::CondVar done_;
  bool is_syncing_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t synced_ ABSL_GUARDED_BY(mutex_) = 0;  // so many of the writes
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_SHARED_SYNC_H_
