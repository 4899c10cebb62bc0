// Puts the parts of the store on disk together.
#include "server/store/rocksdb_store.h"

#include <rocksdb/db.h>

#include <utility>

#include "server/store/rocksdb_tuning.h"
#include "server/store/store_keys.h"

namespace jobtail {

RocksDbStore::RocksDbStore(const RocksDbOptions& options,
                           std::unique_ptr<ReopenableDatabase> database)
    : database_(std::move(database)),
      gate_(options, database_.get()),
      reclaimer_(database_.get(), options.reclaim_bytes, options.reclaim_delay),
      reader_(database_.get(), &damage_),
      writer_(database_.get(), &gate_, &reclaimer_, &damage_),
      runs_(database_.get(), &gate_),
      upkeep_(options, &gate_) {}

absl::StatusOr<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(const RocksDbOptions& options) {
  auto database = ReopenableDatabase::Open(options);
  if (!database.ok()) return database.status();
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(options, *std::move(database)));
}

absl::Status RocksDbStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                  bool sync) {
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size();
  // The end of a run is let in where nothing else is: it is small, and the last thing of the run.
  return writer_.Append(run, batches, sync, /*is_promised=*/sync && bytes <= kBatchBytes);
}

absl::Status RocksDbStore::AppendPromised(const std::string& run, absl::Span<const Batch> batches,
                                          bool sync) {
  return writer_.Append(run, batches, sync, /*is_promised=*/true);
}

absl::StatusOr<LogExtent> RocksDbStore::GetExtent(const std::string& run) {
  if (const auto known = writer_.Newest(run); !known.ok()) return known.status();
  const std::string key = *RunKey(run);
  const absl::StatusOr<IndexEntry> oldest = reader_.Oldest(key);
  if (absl::IsNotFound(oldest.status())) return LogExtent{};
  if (!oldest.ok()) return oldest.status();
  const absl::StatusOr<IndexEntry> newest = writer_.Newest(run);  // no older than the oldest
  if (!newest.ok()) return newest.status();
  return reader_.Extent(key, *oldest, *newest);
}

absl::StatusOr<Batch> RocksDbStore::Read(const std::string& run, int64_t sequence) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  return reader_.Read(*key, sequence);
}

absl::StatusOr<Batch> RocksDbStore::ReadOnce(const std::string& run, int64_t sequence) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  return reader_.Read(*key, sequence, /*once=*/true);
}

std::optional<LogStore::CompressedBatch> RocksDbStore::ReadCompressed(const std::string& run,
                                                                      int64_t sequence) {
  const auto key = RunKey(run);
  return key.ok() ? reader_.ReadCompressed(*key, sequence) : std::nullopt;
}

absl::StatusOr<Batch> RocksDbStore::FindTime(const std::string& run, int64_t unix_nanos) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  return reader_.FindTime(*key, unix_nanos);
}

absl::StatusOr<int64_t> RocksDbStore::FindBytes(const std::string& run, int64_t bytes) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  return reader_.FindBytes(*key, bytes);
}

absl::Status RocksDbStore::Checkpoint(const std::string& directory) {
  const auto database = database_->Use();
  return database.ok() ? (*database)->Checkpoint(directory) : database.status();
}

absl::Status RocksDbStore::CheckHealth() {
  if (absl::Status writable = gate_.CheckHealth(); !writable.ok()) return writable;
  return upkeep_.CheckHealth();
}

absl::Status RocksDbStore::Flush() {
  const auto database = database_->Use();
  return database.ok() ? ToStatus((*database)->Flush(), database_->Name()) : database.status();
}

}  // namespace jobtail
