// What a RocksDbStore does beside reading and appending: opening and closing, forcing onto the
// disk, watching the room there, deleting, and recovering from errors.

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/log/crc32c.h"
#include "server/log/index_cursor.h"
#include "server/log/rocksdb_options.h"
#include "server/log/rocksdb_store.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kUncheckedBytes = 4 << 20;
constexpr absl::Duration kUpkeepInterval = absl::Seconds(1);
constexpr absl::Duration kReclaimDelay = absl::Minutes(1);

// So many batches are deleted one by one. More are deleted as a range, which costs every reader a
// little for as long as it is remembered.
constexpr size_t kSingleDeletions = 256;

// A database that has lost the name of its newest description must not be taken for a new one,
// which would delete what it has.
absl::Status CheckIsWholeOrNew(const std::string& directory) {
  std::error_code error;
  if (fs::exists(directory + "/CURRENT", error)) return absl::OkStatus();
  for (const auto& file : fs::directory_iterator(directory, error)) {
    const std::string name = file.path().filename().string();
    if (!absl::EndsWith(name, ".sst") && !absl::StartsWith(name, "MANIFEST-")) continue;
    return absl::DataLossError(
        absl::StrCat("data directory ", directory, ": it has ", name, " but no file CURRENT; ",
                     "restore that (it names the newest MANIFEST), or choose another directory"));
  }
  return absl::OkStatus();
}

absl::Status OpenError(const rocksdb::Status& status, const std::string& directory) {
  const std::string what = absl::StrCat("data directory ", directory);
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, ": another server has it open (", status.ToString(),
                     "); stop that one, or choose another directory"));
  }
  return ToStatus(status, what);
}

}  // namespace

RocksDbStore::RocksDbStore(RocksDbOptions options)
    : options_(std::move(options)),
      cache_(rocksdb::NewLRUCache(options_.cache_bytes, /*num_shard_bits=*/2)) {}

absl::StatusOr<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(RocksDbOptions options) {
  std::unique_ptr<RocksDbStore> store(new RocksDbStore(std::move(options)));
  if (const absl::Status opened = store->OpenDatabase(); !opened.ok()) return opened;
  store->upkeep_ = std::make_unique<Scheduler>("store-upkeep");
  store->reclaimer_ = std::make_unique<Scheduler>("store-reclaim");
  store->DoUpkeep();
  return store;
}

absl::Status RocksDbStore::OpenDatabase() {
  const std::string& directory = options_.directory;
  if (!Crc32cIsSound()) return absl::InternalError("CRC-32C is computed wrongly on this machine");
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("data directory ", directory, ": cannot be made: ", error.message()));
  }
  if (const absl::Status whole = CheckIsWholeOrNew(directory); !whole.ok()) return whole;
  const fs::space_info space = fs::space(directory, error);
  min_free_bytes_ = error ? options_.min_free_bytes
                          : std::min<uint64_t>(options_.min_free_bytes, space.capacity / 8);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (int family = 0; family < kFamilies; ++family) {
    families.emplace_back(kFamilyNames[family],
                          MakeFamilyOptions(static_cast<ColumnFamily>(family), options_, cache_));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions db_options = MakeDbOptions(options_);
  rocksdb::Status opened = rocksdb::DB::Open(db_options, directory, families, &handles, &db);
  if (opened.IsCorruption()) {
    spdlog::error("data directory {}: damaged ({}); what is sound in it is served", directory,
                  opened.ToString());
    db_options.paranoid_checks = false;
    opened = rocksdb::DB::Open(db_options, directory, families, &handles, &db);
  }
  if (!opened.ok()) return OpenError(opened, directory);
  db_.reset(db);
  logs_.batches = handles[kBatchesFamily];
  logs_.index = handles[kIndexFamily];
  runs_ = handles[kRunsFamily];
  return absl::OkStatus();
}

RocksDbStore::~RocksDbStore() {
  if (!db_) return;
  db_->DisableManualCompaction();
  upkeep_->Stop();
  reclaimer_->Stop();
  if (options_.sync != SyncMode::kNone) Sync();
  for (rocksdb::ColumnFamilyHandle* family : {logs_.batches, logs_.index, runs_}) {
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
}

absl::Status RocksDbStore::Write(rocksdb::WriteBatch* batch, bool sync) {
  absl::ReaderMutexLock lock(&sync_mutex_);
  if (failing_) return Refusal();
  rocksdb::WriteOptions options;
  options.sync = sync || options_.sync == SyncMode::kAlways;
  const rocksdb::Status written = db_->Write(options, batch);
  if (!written.ok()) {
    full_ = full_ || written.IsNoSpace();
    torn_wal_ = WalNumber();
    failing_ = true;
    return ToStatus(written, absl::StrCat("data directory ", options_.directory));
  }
  unchecked_bytes_ += static_cast<int64_t>(batch->GetDataSize());
  if (!options.sync) dirty_ = true;
  return absl::OkStatus();
}

// RESOURCE_EXHAUSTED while the disk is (nearly) full.
absl::Status RocksDbStore::CheckRoom() {
  if (!full_ && unchecked_bytes_ < kUncheckedBytes) return absl::OkStatus();
  unchecked_bytes_ = 0;
  uint64_t free = 0;
  const rocksdb::Status found = db_->GetEnv()->GetFreeSpace(options_.directory, &free);
  const bool full = failing_ ? full_.load() : found.ok() && free < min_free_bytes_;
  if (full_.exchange(full) != full) {
    if (full) {
      spdlog::error("data directory {}: the disk is full ({} MiB free); new runs are refused",
                    options_.directory, free >> 20);
    } else {
      spdlog::info("data directory {}: there is room on the disk again", options_.directory);
    }
  }
  if (!full) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "data directory ", options_.directory, ": the disk is full (", free >> 20, " MiB free, and ",
      min_free_bytes_ >> 20, " MiB are kept free); make room there, or delete runs"));
}

absl::Status RocksDbStore::CheckHealth() {
  return full_ || failing_ ? Refusal() : absl::OkStatus();
}

// Why nothing is written: an error, even if the reason has just gone.
absl::Status RocksDbStore::Refusal() const {
  if (full_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("data directory ", options_.directory,
                     ": the disk is full; make room there, or delete runs"));
  }
  return absl::UnavailableError(absl::StrCat("data directory ", options_.directory,
                                             ": writing fails; the server's log says why"));
}

void RocksDbStore::SetBeforeSync(std::function<void()> function) {
  absl::MutexLock lock(&mutex_);
  before_sync_ = std::move(function);
}

void RocksDbStore::DoUpkeep() {
  std::function<void()> before_sync;
  {
    absl::MutexLock lock(&mutex_);
    before_sync = before_sync_;
  }
  if (before_sync) before_sync();
  if (options_.sync == SyncMode::kInterval) Sync();
  unchecked_bytes_ = kUncheckedBytes;
  if (failing_) {
    Recover();
  } else {
    WriteNothing();
  }
  CheckRoom().IgnoreError();
  const bool syncs = options_.sync == SyncMode::kInterval;
  const absl::Duration interval = syncs ? options_.sync_interval : kUpkeepInterval;
  upkeep_->After(interval, [this] { DoUpkeep(); });
}

void RocksDbStore::Sync() {
  absl::WriterMutexLock lock(&sync_mutex_);
  if (failing_ || !dirty_.exchange(false)) return;
  const rocksdb::Status synced = db_->SyncWAL();
  if (synced.ok()) return;
  failing_ = true;
  spdlog::error("data directory {}: cannot be synced: {}", options_.directory, synced.ToString());
}

// After an error, such as a full disk, nothing is written until what is in memory has come into
// files: the write-ahead log may be torn, and a new one is begun with that.
void RocksDbStore::Recover() {
  rocksdb::Status resumed = db_->Resume();
  if (resumed.ok()) resumed = FlushAll();
  if (!resumed.ok()) return;
  if (WalNumber() == torn_wal_) {
    if (!std::exchange(is_stuck_, true)) {
      spdlog::error(
          "data directory {}: writing cannot go on in this process; start the server anew",
          options_.directory);
    }
    return;
  }
  WriteNothing();
  failing_ = false;
  spdlog::info("data directory {}: writing works again", options_.directory);
}

// Something for the memory tables that changes nothing: while they are empty, RocksDB recovers
// without beginning a new write-ahead log, and ends the process when it is to sync the torn one.
void RocksDbStore::WriteNothing() {
  uint64_t entries = 0;
  db_->GetIntProperty(runs_, rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
  if (entries > 0) return;
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  db_->Delete(options, runs_, "").PermitUncheckedError();
}

uint64_t RocksDbStore::WalNumber() {
  std::unique_ptr<rocksdb::LogFile> wal;
  return db_->GetCurrentWalFile(&wal).ok() ? wal->LogNumber() : 0;
}

rocksdb::Status RocksDbStore::FlushAll() {
  return db_->Flush({}, {logs_.batches, logs_.index, runs_});
}

absl::Status RocksDbStore::Flush() {
  return ToStatus(FlushAll(), absl::StrCat("data directory ", options_.directory));
}

absl::Status RocksDbStore::DeleteRun(const std::string& run) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  if (const auto head = FindHead(run, *key); !head.ok()) return head.status();
  rocksdb::WriteBatch write;
  write.Delete(runs_, *key);
  if (const absl::Status deleted = DeleteBatches(*key, INT64_MAX, &write); !deleted.ok()) {
    return deleted;
  }
  absl::MutexLock lock(&mutex_);
  heads_.erase(run);
  return absl::OkStatus();
}

absl::Status RocksDbStore::Trim(const std::string& run, int64_t first) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  rocksdb::WriteBatch write;
  return DeleteBatches(*key, first, &write);
}

// What is to be deleted of a log: batch by batch, or as a range.
RocksDbStore::Deletion RocksDbStore::PlanDeletion(std::string_view run_key, int64_t before) {
  Deletion plan{BatchKey(run_key, 0), BatchKey(run_key, before), {}, 0};
  IndexCursor cursor(db_.get(), logs_, run_key);
  auto entry = cursor.Oldest();
  const int64_t begin_offset = entry.ok() ? entry->offset : 0;
  for (; entry.ok() && entry->first < before && plan.keys.size() < kSingleDeletions;
       entry = cursor.After(*entry)) {
    plan.keys.push_back(BatchKey(run_key, entry->first));
    plan.bytes = entry->end() - begin_offset;
  }
  const bool all_seen = entry.ok() || absl::IsNotFound(entry.status());
  if (all_seen && plan.keys.size() < kSingleDeletions) return plan;
  plan.keys.clear();
  const auto last = before == INT64_MAX ? cursor.Newest() : cursor.AtOrBefore(before - 1);
  if (last.ok()) plan.bytes = last->end() - begin_offset;
  plan.as_range = true;
  return plan;
}

// Adds the deletion of the batches that begin before `before` to `write`, and writes it.
absl::Status RocksDbStore::DeleteBatches(std::string_view run_key, int64_t before,
                                         rocksdb::WriteBatch* write) {
  const Deletion plan = PlanDeletion(run_key, before);
  for (rocksdb::ColumnFamilyHandle* family : {logs_.batches, logs_.index}) {
    if (plan.as_range) write->DeleteRange(family, plan.begin, plan.end);
    for (const std::string& key : plan.keys) write->Delete(family, key);
  }
  if (const absl::Status written = Write(write, /*sync=*/false); !written.ok()) return written;
  absl::MutexLock lock(&mutex_);
  const bool first = deleted_.empty();
  deleted_.emplace_back(plan.begin, plan.end);
  deleted_bytes_ += plan.bytes;
  if (deleted_bytes_ >= options_.reclaim_bytes) {
    reclaimer_->Soon([this] { Reclaim(); });
  } else if (first) {
    reclaimer_->After(kReclaimDelay, [this] { Reclaim(); });
  }
  return absl::OkStatus();
}

// Files in which there is nothing else are dropped; those with something else are written anew.
void RocksDbStore::Reclaim() {
  std::vector<std::pair<std::string, std::string>> ranges;
  {
    absl::MutexLock lock(&mutex_);
    ranges.swap(deleted_);
    deleted_bytes_ = 0;
  }
  if (ranges.empty()) return;
  std::vector<rocksdb::Slice> ends;
  std::vector<rocksdb::RangePtr> pointers;
  ends.reserve(2 * ranges.size());
  for (const auto& [begin, end] : ranges) {
    const rocksdb::Slice* first = &ends.emplace_back(begin);
    pointers.emplace_back(first, &ends.emplace_back(end));
  }
  const auto by_key = [](const rocksdb::Slice& a, const rocksdb::Slice& b) {
    return a.compare(b) < 0;
  };
  const rocksdb::Slice begin = *std::ranges::min_element(ends, by_key);
  const rocksdb::Slice end = *std::ranges::max_element(ends, by_key);
  for (rocksdb::ColumnFamilyHandle* family : {logs_.batches, logs_.index}) {
    rocksdb::Status done = rocksdb::DeleteFilesInRanges(db_.get(), family, pointers.data(),
                                                        pointers.size(), /*include_end=*/false);
    if (done.ok()) done = db_->CompactRange({}, family, &begin, &end);
    if (!done.ok() && !done.IsIncomplete()) {
      spdlog::warn("data directory {}: room that was deleted stays taken for now: {}",
                   options_.directory, done.ToString());
    }
  }
}

}  // namespace jobtail
