// Batches that several readers share.
#include "server/log/batch_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jobtail {
namespace {

// What an entry takes besides the batch's bytes, about. It is most of it where lines come alone.
constexpr size_t kEntryBytes = 384;

}  // namespace

std::optional<Batch> BatchCache::Lock(const Known& known) {
  std::optional<Batch> batch;
  if (SharedBytes bytes = known.bytes.lock()) {
    batch = known.batch;
    batch->bytes = std::move(bytes);
    batch->compressed = known.compressed.lock();
  }
  return batch;
}

std::optional<Batch> BatchCache::Find(const std::string& run, int64_t sequence) {
  absl::MutexLock lock(&mutex_);
  const auto batches = runs_.find(run);
  if (batches == runs_.end()) return std::nullopt;
  const auto after = batches->second.upper_bound(sequence);
  if (after == batches->second.begin()) return std::nullopt;
  const Known& known = std::prev(after)->second;
  return known.batch.last < sequence ? std::nullopt : Lock(known);
}

// The same records may come in other batches: those that the store has joined are longer.
Batch BatchCache::Add(const std::string& run, Batch batch) {
  if (most_ == 0) return batch;
  std::deque<SharedBytes> forgotten;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  Known& known = runs_[run][batch.first];
  if (auto same = Lock(known)) {
    if (same->last >= batch.last) return *std::move(same);
    forgotten.push_back(std::move(same->bytes));
  }
  known = {batch, batch.bytes, batch.compressed};
  known.batch.bytes = nullptr;
  known.batch.compressed = nullptr;
  const size_t size = HeldBytes(batch) + kEntryBytes;
  kept_.push_back({run, batch.first, size, batch.bytes, batch.compressed});
  kept_bytes_ += size;
  TrimLocked(&forgotten);
  return batch;
}

void BatchCache::TrimLocked(std::deque<SharedBytes>* forgotten) {
  while (kept_bytes_ > most_) {
    Kept& oldest = kept_.front();
    kept_bytes_ -= oldest.size;
    if (oldest.bytes.use_count() == 1) {
      EraseLocked(oldest);
    } else {
      ++held_;
    }
    forgotten->push_back(std::move(oldest.bytes));
    if (oldest.compressed) forgotten->push_back(std::move(oldest.compressed));
    kept_.pop_front();
  }
  if (held_ >= sweep_at_) SweepLocked();
}

// Unless a longer batch has taken its place.
void BatchCache::EraseLocked(const Kept& kept) {
  const auto batches = runs_.find(kept.run);
  if (batches == runs_.end()) return;
  const auto known = batches->second.find(kept.first);
  if (known == batches->second.end() || known->second.bytes.lock() != kept.bytes) return;
  batches->second.erase(known);
  if (batches->second.empty()) runs_.erase(batches);
}

// Drops those whose last holder has let go meanwhile. What is kept is not counted here.
void BatchCache::SweepLocked() {
  size_t known = 0;
  for (auto batches = runs_.begin(); batches != runs_.end();) {
    absl::erase_if(batches->second, [](const auto& entry) { return entry.second.bytes.expired(); });
    known += batches->second.size();
    const auto swept = batches++;
    if (swept->second.empty()) runs_.erase(swept);
  }
  held_ = known - std::min(known, kept_.size());
  sweep_at_ = std::max<size_t>(64, 2 * held_);
}

}  // namespace jobtail
