// Options for RocksDB, and its errors as statuses.
#include "server/store/rocksdb_tuning.h"

#include <rocksdb/env.h>
#include <rocksdb/table.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/rocksdb_private_files.h"

namespace jobtail {

const char* const kFamilyNames[kFamilies] = {"default", "index", "runs",
                                             "format-2-of-a-newer-jobtail"};

namespace {

// What RocksDB warns of in the course of things: a writer waits for the disk, or it is closed.
constexpr std::array kOrdinary = {"Stopping writes", "Stalling writes", "Shutdown in progress"};

// RocksDB's warnings, damage it finds among them, on the server's log. RocksDB owns it, and calls
// it from any thread.
class ServerLog : public rocksdb::Logger {
 public:
  ServerLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::WARN_LEVEL, format, arguments);
  }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < GetInfoLogLevel() || level > rocksdb::InfoLogLevel::FATAL_LEVEL) return;
    std::array<char, 1024> text;
    vsnprintf(text.data(), text.size(), format, arguments);
    for (const char* ordinary : kOrdinary) {
      if (strstr(text.data(), ordinary)) return;
    }
    const bool is_error = level >= rocksdb::InfoLogLevel::ERROR_LEVEL;
    spdlog::log(is_error ? spdlog::level::err : spdlog::level::warn, "store: {}", text.data());
  }
};

}  // namespace

bool IsUnreadable(const rocksdb::Status& status) {
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) return false;
  return status.IsCorruption() || status.IsIOError();
}

rocksdb::Status BackgroundErrors::First() const {
  absl::MutexLock lock(&mutex_);
  return first_;
}

void BackgroundErrors::OnBackgroundError(rocksdb::BackgroundErrorReason reason,
                                         rocksdb::Status* error) {
  absl::MutexLock lock(&mutex_);
  // Nothing has changed that was there before, whatever compaction was about to make of it.
  if (reason == rocksdb::BackgroundErrorReason::kCompaction && IsUnreadable(*error)) {
    if (!std::exchange(reported_damage_, true)) {
      spdlog::error("store: files are left as they are: {}", error->ToString());
    }
    *error = rocksdb::Status::OK();
    return;
  }
  if (first_.ok()) first_ = *error;
}

// RocksDB's own ways to recover can wait for ever for one another; the database is opened anew
// instead.
void BackgroundErrors::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                                            rocksdb::Status /*error*/, bool* auto_recovery) {
  *auto_recovery = false;
}

rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options,
                                 std::vector<std::shared_ptr<rocksdb::EventListener>> listeners) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  db.env = EnvOf(options);
  db.info_log = std::make_shared<ServerLog>();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  // Damage is met where it is read; it must keep nobody from what is sound.
  db.listeners = std::move(listeners);
  db.max_bgerror_resume_count = 0;
  db.skip_checking_sst_file_sizes_on_db_open = true;
  // What is damaged has been taken out (SalvageWals). An error that is met all the same, as one in
  // reading, must not pass for the end of the write-ahead log, which would then be deleted.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  // The families are flushed one by one: together, RocksDB 7.8 may hang after an error, even in
  // closing. They have the same write-ahead log, and are in step with it.
  db.max_total_wal_size = 4 * options.write_buffer_bytes;
  db.max_background_jobs = 2;
  db.max_open_files = options.max_open_files;
  db.bytes_per_sync = 1 << 20;
  db.wal_bytes_per_sync = 1 << 20;
  db.max_manifest_file_size = 16 << 20;
  db.allow_fallocate = false;        // a small disk would look full
  db.advise_random_on_open = false;  // logs are read from front to back
  db.avoid_unnecessary_blocking_io = true;
  db.avoid_flush_during_shutdown = true;  // all that counts is in the write-ahead log
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(ColumnFamily family, const RocksDbOptions& options,
                                               const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;
  table.block_size = family == kBatchesFamily ? 16 << 10 : 4 << 10;
  rocksdb::ColumnFamilyOptions result;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // Batches are compressed already (stored_value.h). All levels alike, or files could not be moved.
  result.compression =
      family == kBatchesFamily ? rocksdb::kNoCompression : rocksdb::kLZ4Compression;
  result.write_buffer_size =
      family == kBatchesFamily ? options.write_buffer_bytes : options.write_buffer_bytes / 4;
  result.max_write_buffer_number = 3;
  result.level_compaction_dynamic_level_bytes = true;
  result.target_file_size_base = uint64_t{32} << 20;
  result.max_bytes_for_level_base = uint64_t{256} << 20;
  // A burst may run ahead of compaction: most files only have to be moved.
  result.level0_slowdown_writes_trigger = kLevel0Slowdown;
  result.level0_stop_writes_trigger = kLevel0Stop;
  return result;
}

absl::Status ToStatus(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return absl::ResourceExhaustedError(absl::StrCat(message, "; make room on the disk"));
  }
  if (status.IsCorruption() || status.IsPathNotFound()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
}

}  // namespace jobtail
