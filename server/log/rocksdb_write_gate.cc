// Lets writes through, or says why not.
#include "server/log/rocksdb_write_gate.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/log/rocksdb_tuning.h"

namespace jobtail {
namespace {

constexpr int64_t kUncheckedBytes = 4 << 20;

uint64_t MinFreeBytes(const RocksDbOptions& options) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(options.directory, error);
  if (error) return options.min_free_bytes;
  return std::min<uint64_t>(options.min_free_bytes, space.capacity / 8);
}

}  // namespace

WriteGate::WriteGate(const RocksDbOptions& options, const Database* database)
    : syncs_always_(options.sync == SyncMode::kAlways),
      database_(database),
      min_free_bytes_(MinFreeBytes(options)),
      wal_sync_(database) {}

absl::Status WriteGate::Write(rocksdb::WriteBatch* batch, bool sync) {
  const int64_t opening = openings_;
  if (closed_) return Refusal();
  const rocksdb::Status written = database_->rocks()->Write({}, batch);
  if (!written.ok()) {
    absl::Status error = ToStatus(written, database_->Name());
    Close(error, opening);
    return error;
  }
  unchecked_bytes_ += static_cast<int64_t>(batch->GetDataSize());
  wal_sync_.NoteWrite();
  return sync || syncs_always_ ? Sync() : absl::OkStatus();
}

absl::Status WriteGate::Sync() {
  const int64_t opening = openings_;
  if (closed_) return Refusal();
  absl::Status synced = wal_sync_.Sync();
  if (synced.ok()) return synced;
  spdlog::error("{}: cannot be synced: {}", database_->Name(), synced.ToString());
  Close(synced, opening);
  return synced;
}

// After something has failed that was begun at the given opening. What comes late is of a failure
// that has been recovered from, or is about to be: the write-ahead log is another by now.
void WriteGate::Close(const absl::Status& error, int64_t opening) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || openings_ != opening) return;
  if (absl::IsResourceExhausted(error)) full_ = true;
  torn_wal_ = database_->WalNumber();
  closed_ = true;
}

void WriteGate::ForgetRoom() { unchecked_bytes_ = kUncheckedBytes; }

absl::Status WriteGate::CheckRoom() {
  if (!full_ && unchecked_bytes_ < kUncheckedBytes) return absl::OkStatus();
  unchecked_bytes_ = 0;
  uint64_t free = 0;
  const rocksdb::Status found = database_->env()->GetFreeSpace(database_->directory(), &free);
  const bool full = closed_ ? full_.load() : found.ok() && free < min_free_bytes_;
  if (full_.exchange(full) != full) {
    if (full) {
      spdlog::error("{}: the disk is full ({} MiB free); new runs are refused", database_->Name(),
                    free >> 20);
    } else {
      spdlog::info("{}: there is room on the disk again", database_->Name());
    }
  }
  if (!full) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(database_->Name(), ": the disk is full (", free >> 20, " MiB free, and ",
                   min_free_bytes_ >> 20, " MiB are kept free); make room there, or delete runs"));
}

absl::Status WriteGate::CheckHealth() const {
  return full_ || closed_ ? Refusal() : absl::OkStatus();
}

// Why nothing is written: an error, even if the reason has just gone.
absl::Status WriteGate::Refusal() const {
  if (full_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(database_->Name(), ": the disk is full; make room there, or delete runs"));
  }
  return absl::UnavailableError(
      absl::StrCat(database_->Name(), ": writing fails; the server's log says why"));
}

void WriteGate::Recover() {
  if (closed_) {
    Reopen();
  } else {
    KeepMemoryTableInUse();
  }
}

// What is in memory comes into files, and a new write-ahead log is begun with that.
void WriteGate::Reopen() {
  rocksdb::Status resumed = database_->rocks()->Resume();
  if (resumed.ok()) resumed = database_->Flush();
  if (resumed.severity() >= rocksdb::Status::Severity::kFatalError) ReportStuck();
  if (!resumed.ok()) return;
  absl::MutexLock lock(&mutex_);
  if (database_->WalNumber() == torn_wal_) {
    ReportStuck();
    return;
  }
  KeepMemoryTableInUse();
  ++openings_;
  closed_ = false;
  spdlog::info("{}: writing works again", database_->Name());
}

// RocksDB goes on after a full disk, but not after every error.
void WriteGate::ReportStuck() {
  if (std::exchange(is_stuck_, true)) return;
  spdlog::error("{}: writing cannot go on in this process; start the server anew",
                database_->Name());
}

// While all memory tables are empty, RocksDB recovers without beginning a new write-ahead log, and
// ends the process when it is to sync the torn one. The deletion of a key that does not exist
// changes nothing.
void WriteGate::KeepMemoryTableInUse() {
  uint64_t entries = 0;
  database_->rocks()->GetIntProperty(database_->runs(),
                                     rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
  if (entries > 0) return;
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  database_->rocks()->Delete(options, database_->runs(), "").PermitUncheckedError();
}

}  // namespace jobtail
