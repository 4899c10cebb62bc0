// Lets writes through, or says why not.
#include "server/store/rocksdb_write_gate.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/rocksdb_tuning.h"

namespace jobtail {
namespace {

constexpr int64_t kUncheckedBytes = 4 << 20;

// A file that is written for a look at whether the disk takes one.
constexpr char kProbe[] = "/probe";
constexpr size_t kProbeBytes = 64 << 10;

// What opening a database takes beside that.
constexpr uint64_t kReopenBytes = 4 << 20;

uint64_t MinFreeBytes(const RocksDbOptions& options) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(options.directory, error);
  if (error) return options.min_free_bytes;
  return std::min<uint64_t>(options.min_free_bytes, space.capacity / 8);
}

// What the write-ahead logs in a directory take.
uint64_t WalBytes(rocksdb::Env* env, const std::string& directory) {
  std::vector<std::string> names;
  env->GetChildren(directory, &names).PermitUncheckedError();
  uint64_t bytes = 0;
  for (const std::string& name : names) {
    uint64_t size = 0;
    if (!absl::EndsWith(name, ".log")) continue;
    if (env->GetFileSize(absl::StrCat(directory, "/", name), &size).ok()) bytes += size;
  }
  return bytes;
}

}  // namespace

WriteGate::WriteGate(const RocksDbOptions& options, ReopenableDatabase* database)
    : clock_(options.clock),
      syncs_always_(options.sync == SyncMode::kAlways),
      database_(database),
      min_free_bytes_(MinFreeBytes(options)),
      wal_sync_(database) {}

absl::Status WriteGate::Write(const Database* database, rocksdb::WriteBatch* batch, bool sync) {
  if (closed_) return Refusal();
  const int64_t opening = openings_;  // after closed_: what is read before may be past
  const rocksdb::Status written = database->rocks()->Write({}, batch);
  if (!written.ok()) {
    absl::Status error = ToStatus(written, database_->Name());
    Close(error, opening);
    return error;
  }
  unchecked_bytes_ += static_cast<int64_t>(batch->GetDataSize());
  wal_sync_.NoteWrite();
  return sync || syncs_always_ ? Sync(database) : absl::OkStatus();
}

absl::Status WriteGate::Sync() {
  const auto database = database_->Use();
  return database.ok() ? Sync(database->get()) : database.status();
}

absl::Status WriteGate::Sync(const Database* database) {
  if (closed_) return Refusal();
  const int64_t opening = openings_;
  absl::Status synced = wal_sync_.Sync(database);
  if (synced.ok()) return synced;
  spdlog::error("{}: cannot be synced: {}", database_->Name(), synced.ToString());
  Close(synced, opening);
  return synced;
}

// After something has failed that was begun at the given opening. What comes late is of a failure
// that has been recovered from, or is about to be.
void WriteGate::Close(const absl::Status& error, int64_t opening) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || openings_ != opening) return;
  full_ = absl::IsResourceExhausted(error);
  closed_ = true;
  spdlog::error("{}: writing stops, until the database has been opened anew: {}", database_->Name(),
                error.ToString());
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
  if (!closed_) CloseAfterBackgroundError();
  if (closed_) Reopen();
}

// RocksDB refuses the next write after it: there is no need to wait for one.
void WriteGate::CloseAfterBackgroundError() {
  const int64_t opening = openings_;
  const auto database = database_->Use();
  const absl::Status error = database.ok() ? (*database)->BackgroundError() : database.status();
  if (!error.ok()) Close(error, opening);
}

void WriteGate::PauseCompactions() const {
  const auto database = database_->Use();
  if (database.ok()) (*database)->PauseCompactions(clock_->Steady());
}

// Whether it is worth while to take the database from its readers: there is room for what is to
// come out of the write-ahead logs, and a file can be written.
absl::Status WriteGate::CheckCanReopen() const {
  rocksdb::Env* const env = database_->env();
  const uint64_t needed = WalBytes(env, database_->directory()) + kReopenBytes;
  uint64_t free = 0;
  if (env->GetFreeSpace(database_->directory(), &free).ok() && free < needed) {
    return absl::ResourceExhaustedError(
        absl::StrCat(database_->Name(), ": ", free >> 20, " MiB are free on the disk, and ",
                     needed >> 20, " MiB are needed to open it anew; make room there"));
  }
  const std::string path = database_->directory() + kProbe;
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status done = env->NewWritableFile(path, &file, rocksdb::EnvOptions());
  if (done.ok()) done = file->Append(std::string(kProbeBytes, '\0'));
  if (done.ok()) done = file->Sync();
  if (file) {
    const rocksdb::Status closed = file->Close();
    if (done.ok()) done = closed;
  }
  env->DeleteFile(path).PermitUncheckedError();
  return ToStatus(done, database_->Name());
}

void WriteGate::Reopen() {
  absl::Status opened = CheckCanReopen();
  if (opened.ok()) opened = database_->Reopen();
  if (!opened.ok()) {
    full_ = absl::IsResourceExhausted(opened);
    if (std::exchange(reported_, std::string(opened.message())) != opened.message()) {
      spdlog::error("{}: cannot be opened anew, which is tried again and again: {}",
                    database_->Name(), opened.ToString());
    }
    return;
  }
  reported_.clear();
  wal_sync_.Restart();
  ForgetRoom();
  absl::MutexLock lock(&mutex_);
  ++openings_;
  full_ = false;
  closed_ = false;
  spdlog::info("{}: opened anew; writing works again", database_->Name());
}

}  // namespace jobtail
