// Syncs the write-ahead log beside those who write to it.
#include "server/store/rocksdb_wal_sync.h"

#include <rocksdb/env.h>

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/store/rocksdb_tuning.h"

namespace jobtail {

WalSync::WalSync(const ReopenableDatabase* database) : database_(database) {}

WalSync::~WalSync() = default;

absl::Status WalSync::Sync(const Database* database) {
  return shared_.Sync([&] {
    absl::MutexLock lock(&files_);
    return SyncFilesLocked(database);
  });
}

void WalSync::Restart() {
  {
    absl::MutexLock lock(&files_);
    file_.reset();
    number_ = 0;
  }
  shared_.Restart();
}

// What was written before is in the log that is the newest now, or in one before it.
absl::Status WalSync::SyncFilesLocked(const Database* database) {
  const uint64_t newest = database->WalNumber();
  if (newest == 0) {
    return absl::UnavailableError(
        absl::StrCat(database_->Name(), ": its write-ahead log cannot be found"));
  }
  if (newest != number_ || !file_) {
    if (absl::Status followed = FollowLocked(newest); !followed.ok()) return followed;
  }
  return ToStatus(file_->Sync(), database_->Name());
}

// RocksDB has begun other logs since: the one before is synced for the last time, and so is what
// came between.
absl::Status WalSync::FollowLocked(uint64_t newest) {
  if (file_) {
    if (rocksdb::Status synced = file_->Sync(); !synced.ok()) {
      return ToStatus(synced, database_->Name());
    }
    file_.reset();
    ++number_;
  }
  const absl::StatusOr<std::vector<uint64_t>> between = NumbersBetween(number_, newest);
  if (!between.ok()) return between.status();  // nobody knows what there is to sync
  for (const uint64_t number : *between) {
    std::unique_ptr<rocksdb::RandomRWFile> file;
    absl::Status done = Open(number, &file);
    if (absl::IsNotFound(done)) continue;  // all that it had is in files, synced by RocksDB
    if (done.ok()) done = ToStatus(file->Sync(), database_->Name());
    if (!done.ok()) return done;
  }
  if (absl::Status opened = Open(newest, &file_); !opened.ok()) return opened;
  std::unique_ptr<rocksdb::Directory> names;
  rocksdb::Status synced = database_->env()->NewDirectory(database_->directory(), &names);
  if (synced.ok()) synced = names->Fsync();
  if (synced.ok()) number_ = newest;
  return ToStatus(synced, database_->Name());
}

// Of the logs in the directory, those from `begin` up and below `end`.
absl::StatusOr<std::vector<uint64_t>> WalSync::NumbersBetween(uint64_t begin, uint64_t end) const {
  std::vector<std::string> names;
  const rocksdb::Status listed = database_->env()->GetChildren(database_->directory(), &names);
  if (!listed.ok()) return ToStatus(listed, database_->Name());
  std::vector<uint64_t> numbers;
  for (absl::string_view name : names) {
    uint64_t number;
    if (absl::ConsumeSuffix(&name, ".log") && absl::SimpleAtoi(name, &number) && number >= begin &&
        number < end) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

absl::Status WalSync::Open(uint64_t number, std::unique_ptr<rocksdb::RandomRWFile>* file) const {
  const std::string path = absl::StrFormat("%s/%06d.log", database_->directory(), number);
  const rocksdb::Status opened =
      database_->env()->NewRandomRWFile(path, file, rocksdb::EnvOptions());
  if (opened.IsPathNotFound() || opened.IsNotFound()) return absl::NotFoundError(path);
  if (opened.IsIOError() && database_->env()->FileExists(path).IsNotFound()) {
    return absl::NotFoundError(path);
  }
  return ToStatus(opened, database_->Name());
}

}  // namespace jobtail
