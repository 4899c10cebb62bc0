#include "server/log/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/log/index_cursor.h"
#include "server/log/rocksdb_options.h"
#include "server/log/stored_value.h"

namespace jobtail {
namespace {

using storage::v1::StoredRun;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

rocksdb::Slice ToRocks(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

absl::Status NoRun(const std::string& run) {
  return absl::NotFoundError(absl::StrCat("no run ", run));
}

// What RocksDB returned, and the cache that it may lie in.
struct Pinned {
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::PinnableSlice value;
};

absl::StatusOr<SharedBytes> Decode(Pinned pinned) {
  if (IsPlain(View(pinned.value))) {
    return Share(std::move(pinned),
                 [](const Pinned& owner) { return PlainBytes(View(owner.value)); });
  }
  return Decompress(View(pinned.value));
}

}  // namespace

absl::Status RocksDbStore::PutRun(const StoredRun& run) {
  const auto key = RunKey(run.run().id());
  if (!key.ok()) return key.status();
  const bool is_new = absl::IsNotFound(FindHead(run.run().id(), *key).status());
  if (const absl::Status room = CheckRoom(); is_new && !room.ok()) return room;
  rocksdb::WriteBatch batch;
  batch.Put(runs_, *key, run.SerializeAsString());
  return Write(&batch, /*sync=*/false);
}

absl::StatusOr<std::vector<StoredRun>> RocksDbStore::LoadRuns() {
  std::vector<StoredRun> runs;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, runs_));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    StoredRun run;
    if (run.ParseFromArray(it->value().data(), static_cast<int>(it->value().size()))) {
      runs.push_back(std::move(run));
    } else {
      spdlog::error("run {}: what is known of it cannot be read", RunOfKey(View(it->key())));
    }
  }
  if (it->status().ok()) return runs;
  const absl::Status damage = ToStatus(it->status(), "the list of runs");
  if (!absl::IsDataLoss(damage)) return damage;
  spdlog::error("data directory {}: {}; runs are found by their logs instead", options_.directory,
                damage.ToString());
  LoadRunsOfLogs(runs.empty() ? "" : *RunKey(runs.back().run().id()), &runs);
  return runs;
}

// The runs with a log whose keys come after `after`, from one log to the next. A run of which
// nothing else is known has at least its id, and whatever its log tells of its end.
void RocksDbStore::LoadRunsOfLogs(const std::string& after, std::vector<StoredRun>* runs) {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, logs_.index));
  it->SeekToFirst();
  if (!after.empty()) it->Seek(EndKey(after));
  while (it->Valid()) {
    const std::string key(View(it->key()).substr(0, kRunKeyBytes));
    std::string value;
    StoredRun& run = runs->emplace_back();
    const rocksdb::Status found = db_->Get({}, runs_, key, &value);
    if (!found.ok() || !run.ParseFromString(value)) {
      run.Clear();
      run.mutable_run()->set_id(RunOfKey(key));
      run.mutable_run()->set_state(v1::RUN_STATE_RUNNING);
      spdlog::error("run {}: what is known of it, but for its log, is lost", run.run().id());
    }
    it->Seek(EndKey(key));
  }
}

// The end of the log, from the database if it has not been asked for before.
absl::StatusOr<std::shared_ptr<RocksDbStore::Head>> RocksDbStore::FindHead(
    const std::string& run, std::string_view run_key) {
  {
    absl::MutexLock lock(&mutex_);
    if (const auto found = heads_.find(run); found != heads_.end()) return found->second;
  }
  rocksdb::PinnableSlice value;
  const rocksdb::Status known = db_->Get({}, runs_, ToRocks(run_key), &value);
  if (known.IsNotFound()) return NoRun(run);
  if (!known.ok()) return ToStatus(known, absl::StrCat("run ", run));
  auto head = std::make_shared<Head>();
  const absl::StatusOr<IndexEntry> newest = IndexCursor(db_.get(), logs_, run_key).Newest();
  if (newest.ok()) {
    absl::MutexLock lock(&head->mutex);
    head->newest = *newest;
  } else if (!absl::IsNotFound(newest.status())) {
    return newest.status();
  }
  absl::MutexLock lock(&mutex_);
  return heads_.emplace(run, std::move(head)).first->second;
}

absl::Status RocksDbStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                  bool sync) {
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size();
  // The end of a run is let in where nothing else is: it is small, and the last thing of the run.
  return Append(run, batches, sync, /*is_promised=*/sync && bytes <= kBatchBytes);
}

absl::Status RocksDbStore::AppendPromised(const std::string& run, absl::Span<const Batch> batches,
                                          bool sync) {
  return Append(run, batches, sync, /*is_promised=*/true);
}

absl::Status RocksDbStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                  bool sync, bool is_promised) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto head = FindHead(run, *key);
  if (!head.ok()) return head.status();
  absl::MutexLock lock(&(*head)->mutex);
  IndexEntry newest = (*head)->newest;
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size() + 128;
  rocksdb::WriteBatch write(bytes / 4);
  ValueEncoder encoder;
  for (const Batch& batch : batches) {
    if (batch.first != newest.last + 1 || batch.last < batch.first) {
      return absl::FailedPreconditionError(absl::StrCat("run ", run, ": records ", batch.first,
                                                        " to ", batch.last, " where ",
                                                        newest.last + 1, " is next"));
    }
    newest = MakeIndexEntry(batch, newest.end());
    const std::string batch_key = BatchKey(*key, batch.first);
    write.Put(logs_.batches, batch_key, ToRocks(encoder.Encode(*batch.bytes)));
    write.Put(logs_.index, batch_key, EncodeIndexEntry(newest));
  }
  if (batches.empty()) return absl::OkStatus();
  if (const absl::Status room = CheckRoom(); !is_promised && !room.ok()) return room;
  const absl::Status written = Write(&write, sync);
  if (written.ok()) (*head)->newest = newest;
  return written;
}

absl::StatusOr<LogExtent> RocksDbStore::GetExtent(const std::string& run) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto head = FindHead(run, *key);
  if (!head.ok()) return head.status();
  const absl::StatusOr<IndexEntry> oldest = IndexCursor(db_.get(), logs_, *key).Oldest();
  if (absl::IsNotFound(oldest.status())) return LogExtent{};
  if (!oldest.ok()) return oldest.status();
  absl::MutexLock lock(&(*head)->mutex);
  const IndexEntry newest = (*head)->newest;
  return LogExtent{oldest->first,
                   newest.last,
                   newest.end() - oldest->offset,
                   newest.last_time_unix_nanos,
                   newest.total_lines,
                   newest.total_bytes};
}

absl::StatusOr<Batch> RocksDbStore::ReadAt(std::string_view run_key, const IndexEntry& entry) {
  Pinned pinned{cache_, {}};
  const rocksdb::Status read =
      db_->Get({}, logs_.batches, BatchKey(run_key, entry.first), &pinned.value);
  if (!read.ok()) return ToStatus(read, "reading");
  absl::StatusOr<SharedBytes> bytes = Decode(std::move(pinned));
  if (!bytes.ok()) return bytes.status();
  return Batch{entry.first,       entry.last,        entry.last_time_unix_nanos,
               entry.total_lines, entry.total_bytes, *std::move(bytes)};
}

// Damaged batches are passed over: which they were, the reader can tell from what it gets instead.
absl::StatusOr<Batch> RocksDbStore::Read(const std::string& run, int64_t sequence) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  IndexCursor cursor(db_.get(), logs_, *key);
  int64_t damaged_first = 0;
  int64_t damaged_last = 0;
  absl::Status damage;
  auto entry = cursor.At(sequence);
  absl::StatusOr<Batch> batch = absl::NotFoundError("no such record");
  for (; entry.ok(); entry = cursor.After(*entry)) {
    batch = ReadAt(*key, *entry);
    if (!absl::IsDataLoss(batch.status()) && !absl::IsNotFound(batch.status())) break;
    if (IsDeleted(BatchKey(*key, entry->first))) continue;
    if (damage.ok()) damaged_first = entry->first;
    damaged_last = entry->last;
    damage = batch.status();
  }
  if (!damage.ok()) ReportDamage(run, damaged_first, damaged_last, damage);
  if (!entry.ok()) return entry.status();
  return batch;
}

// Whether the batch has gone since the index was looked at.
bool RocksDbStore::IsDeleted(const std::string& batch_key) {
  rocksdb::PinnableSlice value;
  return db_->Get({}, logs_.index, batch_key, &value).IsNotFound();
}

void RocksDbStore::ReportDamage(const std::string& run, int64_t first, int64_t last,
                                const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!reported_.insert(absl::StrCat(run, " ", last)).second) return;
  }
  spdlog::error("run {}: records {} to {} cannot be read, and their place is taken by a gap: {}",
                run, first, last, status.ToString());
}

// Binary search: the first entry that is `wanted`, as are all after it.
absl::StatusOr<IndexEntry> RocksDbStore::FindFirst(std::string_view run_key, Predicate wanted) {
  IndexCursor cursor(db_.get(), logs_, run_key);
  const auto oldest = cursor.Oldest();
  if (!oldest.ok()) return oldest;
  auto found = cursor.Newest();
  if (!found.ok()) return found;
  if (!wanted(*found)) return absl::NotFoundError("no such record");
  int64_t low = oldest->first;
  while (low < found->first) {
    const int64_t middle = low + (found->first - low) / 2;
    const auto entry = cursor.AtOrBefore(middle);
    if (!entry.ok()) return entry;
    if (entry->first < low || !wanted(*entry)) {
      low = std::max(middle, entry->last) + 1;
    } else {
      found = entry;
    }
  }
  return found;
}

absl::StatusOr<Batch> RocksDbStore::FindTime(const std::string& run, int64_t unix_nanos) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto entry = FindFirst(*key, [&](const IndexEntry& candidate) {
    return candidate.last_time_unix_nanos >= unix_nanos;
  });
  if (!entry.ok()) return entry.status();
  return Read(run, entry->first);
}

absl::StatusOr<int64_t> RocksDbStore::FindBytes(const std::string& run, int64_t bytes) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto newest = IndexCursor(db_.get(), logs_, *key).Newest();
  if (!newest.ok()) return newest.status();
  const auto entry = FindFirst(*key, [&](const IndexEntry& candidate) {
    return newest->end() - candidate.offset <= bytes || candidate.first >= newest->first;
  });
  if (!entry.ok()) return entry.status();
  return entry->first;
}

}  // namespace jobtail
