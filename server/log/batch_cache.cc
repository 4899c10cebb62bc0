#include "server/log/batch_cache.h"

#include <algorithm>

namespace jobtail {
namespace {

// What an entry takes besides the batch's bytes, about. It is most of it where lines come alone.
constexpr size_t kEntryBytes = 256;

size_t Size(const SharedBytes& bytes) { return bytes->size() + kEntryBytes; }

}  // namespace

std::optional<Batch> BatchCache::Lock(const Known& known) {
  std::optional<Batch> batch;
  if (SharedBytes bytes = known.bytes.lock()) {
    batch = known.batch;
    batch->bytes = std::move(bytes);
  }
  return batch;
}

std::optional<Batch> BatchCache::Find(const std::string& run, int64_t first) {
  absl::MutexLock lock(&mutex_);
  const auto found = known_.find(Key(run, first));
  return found == known_.end() ? std::nullopt : Lock(found->second);
}

// The same records may come in other batches: those that the store has joined are longer.
Batch BatchCache::Add(const std::string& run, Batch batch) {
  std::deque<SharedBytes> forgotten;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  Known& known = known_[Key(run, batch.first)];
  if (auto same = Lock(known); same && same->last == batch.last) return *std::move(same);
  known.bytes = batch.bytes;
  known.batch = batch;
  known.batch.bytes = nullptr;
  latest_.push_back(batch.bytes);
  latest_bytes_ += Size(batch.bytes);
  while (latest_bytes_ > most_) {
    latest_bytes_ -= Size(latest_.front());
    forgotten.push_back(std::move(latest_.front()));
    latest_.pop_front();
  }
  if (known_.size() >= sweep_at_) SweepLocked();
  return batch;
}

void BatchCache::SweepLocked() {
  absl::erase_if(known_, [](const auto& entry) { return entry.second.bytes.expired(); });
  sweep_at_ = std::max<size_t>(64, 2 * known_.size());
}

}  // namespace jobtail
