// Who asks the disk, and who waits for somebody else's sync.
#include "server/store/shared_sync.h"

namespace jobtail {

absl::Status SharedSync::Sync(SyncNow sync_now) {
  const int64_t wanted = writes_.load(std::memory_order_acquire);
  absl::MutexLock lock(&mutex_);
  while (failure_.ok() && synced_ < wanted && is_syncing_) done_.Wait(&mutex_);
  if (!failure_.ok() || synced_ >= wanted) return failure_;
  is_syncing_ = true;
  const int64_t writes = writes_.load(std::memory_order_acquire);
  mutex_.Unlock();
  absl::Status synced = sync_now();
  mutex_.Lock();
  is_syncing_ = false;
  if (synced.ok()) synced_ = writes;
  failure_ = synced;
  done_.SignalAll();
  return synced;
}

void SharedSync::Restart() {
  absl::MutexLock lock(&mutex_);
  failure_ = absl::OkStatus();
}

}  // namespace jobtail
