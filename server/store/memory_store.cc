// Runs and logs in memory.
#include "server/store/memory_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace jobtail {

absl::StatusOr<std::shared_ptr<MemoryStore::Entry>> MemoryStore::Find(const std::string& run) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(run);
  if (found == entries_.end()) return absl::NotFoundError(absl::StrCat("no run ", run));
  return found->second;
}

absl::Status MemoryStore::PutRun(const storage::v1::StoredRun& run) {
  std::shared_ptr<Entry> entry;
  {
    absl::MutexLock lock(&mutex_);
    auto& slot = entries_[run.run().id()];
    if (!slot) slot = std::make_shared<Entry>();
    entry = slot;
  }
  absl::MutexLock lock(&entry->mutex);
  entry->run = run;
  return absl::OkStatus();
}

absl::StatusOr<storage::v1::StoredRun> MemoryStore::GetRun(const std::string& run) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  absl::MutexLock lock(&(*found)->mutex);
  return (*found)->run;
}

absl::Status MemoryStore::ForEachRun(UseRun use) {
  std::vector<std::shared_ptr<Entry>> entries;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, entry] : entries_) entries.push_back(entry);
  }
  for (const auto& entry : entries) {
    storage::v1::StoredRun run;
    {
      absl::MutexLock lock(&entry->mutex);
      run = entry->run;
    }
    use(std::move(run));
  }
  return absl::OkStatus();
}

absl::Status MemoryStore::DeleteRun(const std::string& run) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(run);
  if (found == entries_.end()) return absl::NotFoundError(absl::StrCat("no run ", run));
  entries_.erase(found);
  return absl::OkStatus();
}

absl::Status MemoryStore::DeleteRuns(absl::Span<const std::string> runs) {
  std::vector<std::shared_ptr<Entry>> deleted;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  for (const std::string& run : runs) {
    const auto found = entries_.find(run);
    if (found == entries_.end()) continue;
    deleted.push_back(std::move(found->second));
    entries_.erase(found);
  }
  return absl::OkStatus();
}

absl::Status MemoryStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                 bool sync) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  Entry* const entry = found->get();
  absl::MutexLock lock(&entry->mutex);
  std::deque<Batch>& stored = entry->batches;
  int64_t next = stored.empty() ? 1 : stored.back().last + 1;
  for (const Batch& batch : batches) {
    if (batch.first != next || batch.last < batch.first) {
      return absl::FailedPreconditionError(absl::StrCat(
          "run ", run, ": records ", batch.first, " to ", batch.last, " where ", next, " is next"));
    }
    next = batch.last + 1;
  }
  stored.insert(stored.end(), batches.begin(), batches.end());
  for (const Batch& batch : batches) entry->bytes += static_cast<int64_t>(batch.bytes->size());
  return absl::OkStatus();
}

absl::StatusOr<LogExtent> MemoryStore::GetExtent(const std::string& run) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  Entry* const entry = found->get();
  absl::MutexLock lock(&entry->mutex);
  std::deque<Batch>& stored = entry->batches;
  if (stored.empty()) return LogExtent{};
  const Batch& newest = stored.back();
  return LogExtent{stored.front().first,        newest.last,        entry->bytes,
                   newest.last_time_unix_nanos, newest.total_lines, newest.total_bytes};
}

absl::StatusOr<Batch> MemoryStore::Read(const std::string& run, int64_t sequence) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  Entry* const entry = found->get();
  absl::MutexLock lock(&entry->mutex);
  std::deque<Batch>& stored = entry->batches;
  const auto batch = std::ranges::lower_bound(stored, sequence, {}, &Batch::last);
  if (batch == stored.end()) {
    return absl::NotFoundError(absl::StrCat("run ", run, " has no record ", sequence));
  }
  return *batch;
}

absl::StatusOr<Batch> MemoryStore::FindTime(const std::string& run, int64_t unix_nanos) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  Entry* const entry = found->get();
  absl::MutexLock lock(&entry->mutex);
  std::deque<Batch>& stored = entry->batches;
  const auto batch = std::ranges::lower_bound(stored, unix_nanos, {}, &Batch::last_time_unix_nanos);
  if (batch == stored.end()) {
    return absl::NotFoundError(absl::StrCat("run ", run, " has no record that new"));
  }
  return *batch;
}

absl::StatusOr<int64_t> MemoryStore::FindBytes(const std::string& run, int64_t bytes) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  Entry* const entry = found->get();
  absl::MutexLock lock(&entry->mutex);
  std::deque<Batch>& stored = entry->batches;
  if (stored.empty()) return absl::NotFoundError(absl::StrCat("run ", run, " has no records"));
  auto batch = stored.begin();
  for (int64_t left = entry->bytes; left > bytes && batch + 1 != stored.end(); ++batch) {
    left -= static_cast<int64_t>(batch->bytes->size());
  }
  return batch->first;
}

absl::Status MemoryStore::Trim(const std::string& run, int64_t first) {
  const auto found = Find(run);
  if (!found.ok()) return found.status();
  Entry* const entry = found->get();
  absl::MutexLock lock(&entry->mutex);
  std::deque<Batch>& stored = entry->batches;
  while (!stored.empty() && stored.front().first < first) {
    entry->bytes -= static_cast<int64_t>(stored.front().bytes->size());
    stored.pop_front();
  }
  return absl::OkStatus();
}

absl::Status MemoryStore::Checkpoint(const std::string& directory) {
  return absl::FailedPreconditionError(absl::StrCat(
      "checkpoint ", directory, ": runs and logs are kept in memory; give the server a directory"));
}

}  // namespace jobtail
