// Counts who uses the database, and changes it for another when nobody does.
#include "server/store/rocksdb_reopenable.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>

#include <utility>

#include "server/store/rocksdb_private_files.h"

namespace jobtail {

absl::StatusOr<std::unique_ptr<ReopenableDatabase>> ReopenableDatabase::Open(
    const RocksDbOptions& options) {
  std::unique_ptr<ReopenableDatabase> result(new ReopenableDatabase(options));
  auto opened = Database::Open(options, ReadErrors::kAreDamage, nullptr);
  if (!opened.ok()) return opened.status();
  result->database_ = *std::move(opened);
  return result;
}

ReopenableDatabase::~ReopenableDatabase() = default;

absl::StatusOr<ReopenableDatabase::Lease> ReopenableDatabase::Use() const {
  absl::MutexLock lock(&mutex_);
  if (opening_) {
    mutex_.AwaitWithTimeout(absl::Condition(this, &ReopenableDatabase::IsSettledLocked), kPatience);
  }
  if (!state_.ok()) return state_;
  ++leases_;
  return Lease(this);
}

void ReopenableDatabase::Return() const {
  absl::MutexLock lock(&mutex_);
  --leases_;
}

absl::Status ReopenableDatabase::Reopen() {
  {
    absl::MutexLock lock(&mutex_);
    opening_ = state_.ok();  // nobody waits for what has failed before
    if (opening_) state_ = absl::UnavailableError(Name() + ": it is being opened anew");
  }
  std::shared_ptr<rocksdb::Cache> cache;
  if (database_) {
    StopBackgroundWork();
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &ReopenableDatabase::IsUnusedLocked));
    }
    cache = database_->cache();
    database_.reset();
  }
  auto opened = Database::Open(options_, ReadErrors::kPass, std::move(cache));
  absl::Status status = opened.status();
  if (status.ok()) database_ = *std::move(opened);
  absl::MutexLock lock(&mutex_);
  opening_ = false;
  // Whatever the reason, it may pass: readers are to come again.
  state_ = status.ok() ? absl::OkStatus() : absl::UnavailableError(status.message());
  return status;
}

void ReopenableDatabase::StopBackgroundWork() const {
  if (database_) database_->StopBackgroundWork();
}

rocksdb::Env* ReopenableDatabase::env() const { return EnvOf(options_); }

std::string ReopenableDatabase::Name() const { return "data directory " + options_.directory; }

}  // namespace jobtail
