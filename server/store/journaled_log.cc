// The batches of one log that wait in the journal.
#include "server/store/journaled_log.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace jobtail {

void WaitingBatches::Add(const Batch& batch, Journal::Half half) {
  absl::MutexLock lock(&mutex_);
  bytes_ += batch.bytes->size();
  batches_.push_back(batch);
  halves_.push_back(half);
}

std::vector<Journal::Half> WaitingBatches::Forget(size_t count) {
  std::vector<Batch> batches;  // is destroyed without the lock
  absl::MutexLock lock(&mutex_);
  const auto end = static_cast<std::ptrdiff_t>(std::min(count, batches_.size()));
  batches.assign(std::make_move_iterator(batches_.begin()),
                 std::make_move_iterator(batches_.begin() + end));
  batches_.erase(batches_.begin(), batches_.begin() + end);
  const std::vector<Journal::Half> halves(halves_.begin(), halves_.begin() + end);
  halves_.erase(halves_.begin(), halves_.begin() + end);
  for (const Batch& batch : batches) bytes_ -= batch.bytes->size();
  return halves;
}

bool WaitingBatches::empty() const {
  absl::MutexLock lock(&mutex_);
  return batches_.empty();
}

size_t WaitingBatches::bytes() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

std::vector<Batch> WaitingBatches::All() const {
  absl::MutexLock lock(&mutex_);
  return batches_;
}

std::optional<Batch> WaitingBatches::FindSequence(int64_t sequence) const {
  absl::MutexLock lock(&mutex_);
  const auto found = std::ranges::lower_bound(batches_, sequence, {}, &Batch::last);
  if (found == batches_.end()) return std::nullopt;
  return *found;
}

std::optional<Batch> WaitingBatches::FindTime(int64_t unix_nanos) const {
  absl::MutexLock lock(&mutex_);
  const auto found =
      std::ranges::lower_bound(batches_, unix_nanos, {}, &Batch::last_time_unix_nanos);
  if (found == batches_.end()) return std::nullopt;
  return *found;
}

std::vector<Batch> JournaledLog::BeginMove() {
  absl::MutexLock lock(&writing);
  writing.Await(absl::Condition(this, &JournaledLog::IsMoved));
  moving = true;
  return waiting.All();
}

std::optional<std::vector<Batch>> JournaledLog::TryBeginMove() {
  absl::MutexLock lock(&writing);
  if (moving) return std::nullopt;
  std::vector<Batch> all = waiting.All();
  if (all.empty()) return std::nullopt;
  moving = true;
  return all;
}

std::vector<Batch> Join(const std::vector<Batch>& batches, size_t bytes) {
  std::vector<Batch> joined;
  for (size_t i = 0; i < batches.size();) {
    size_t size = batches[i].bytes->size();
    size_t end = i + 1;
    while (end < batches.size() && size + batches[end].bytes->size() <= bytes) {
      size += batches[end++].bytes->size();
    }
    Batch batch = batches[end - 1];
    batch.first = batches[i].first;
    if (end > i + 1) {
      std::string all;
      all.reserve(size);
      for (; i < end; ++i) all.append(*batches[i].bytes);
      batch.bytes = Share(std::move(all));
      batch.compressed = nullptr;  // which was of the last one, as is this
      batch.is_incompressible = false;
    }
    joined.push_back(std::move(batch));
    i = end;
  }
  return joined;
}

}  // namespace jobtail
