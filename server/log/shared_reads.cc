#include "server/log/shared_reads.h"

#include <algorithm>
#include <utility>

namespace jobtail {

SharedBytes SharedReads::Find(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  const auto found = reads_.find(key);
  return found == reads_.end() ? nullptr : found->second.lock();
}

SharedBytes SharedReads::Add(const std::string& key, SharedBytes bytes) {
  std::deque<SharedBytes> forgotten;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  auto& slot = reads_[key];
  if (SharedBytes known = slot.lock()) return known;
  slot = bytes;
  latest_.push_back(bytes);
  latest_bytes_ += bytes->size();
  while (latest_bytes_ > most_) {
    latest_bytes_ -= latest_.front()->size();
    forgotten.push_back(std::move(latest_.front()));
    latest_.pop_front();
  }
  if (reads_.size() >= sweep_at_) SweepLocked();
  return bytes;
}

void SharedReads::SweepLocked() {
  absl::erase_if(reads_, [](const auto& read) { return read.second.expired(); });
  sweep_at_ = std::max<size_t>(64, 2 * reads_.size());
}

}  // namespace jobtail
