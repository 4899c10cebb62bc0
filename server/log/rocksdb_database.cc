// Opens the database and its column families.
#include "server/log/rocksdb_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/log/rocksdb_directory.h"
#include "server/log/rocksdb_tuning.h"

namespace jobtail {
namespace {

absl::Status OpenError(const rocksdb::Status& status, const std::string& name) {
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": another server has it open (", status.ToString(),
                     "); stop that one, or choose another directory"));
  }
  if (status.IsInvalidArgument() && absl::StrContains(status.ToString(), "olumn famil")) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": a newer server has written it (", status.ToString(),
                     "); start that one, or choose another directory"));
  }
  return ToStatus(status, name);
}

}  // namespace

Database::Database(std::string directory, std::shared_ptr<rocksdb::Cache> cache)
    : directory_(std::move(directory)), cache_(std::move(cache)) {}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const RocksDbOptions& options) {
  if (absl::Status ready = PrepareDirectory(options.directory); !ready.ok()) return ready;
  std::unique_ptr<Database> result(new Database(
      options.directory, rocksdb::NewLRUCache(options.cache_bytes, /*num_shard_bits=*/2)));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (int family = 0; family < kFamilies; ++family) {
    families.emplace_back(kFamilyNames[family], MakeFamilyOptions(static_cast<ColumnFamily>(family),
                                                                  options, result->cache_));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* rocks = nullptr;
  rocksdb::DBOptions setup = MakeDbOptions(options);
  rocksdb::Status opened = rocksdb::DB::Open(setup, options.directory, families, &handles, &rocks);
  if (opened.IsCorruption()) {
    spdlog::error("{}: damaged ({}); what is sound in it is served", result->Name(),
                  opened.ToString());
    setup.paranoid_checks = false;
    opened = rocksdb::DB::Open(setup, options.directory, families, &handles, &rocks);
  }
  if (!opened.ok()) return OpenError(opened, result->Name());
  result->rocks_.reset(rocks);
  result->batches_ = handles[kBatchesFamily];
  result->index_ = handles[kIndexFamily];
  result->runs_ = handles[kRunsFamily];
  result->format_ = handles[kFormatFamily];
  if (absl::Status marked = MarkDirectoryFormat(options.directory); !marked.ok()) return marked;
  return result;
}

Database::~Database() {
  if (!rocks_) return;
  for (rocksdb::ColumnFamilyHandle* family : {batches_, index_, runs_, format_}) {
    rocks_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  rocks_->Close().PermitUncheckedError();
}

rocksdb::Env* Database::env() const { return rocks_->GetEnv(); }

rocksdb::Status Database::Flush() const { return rocks_->Flush({}, {batches_, index_, runs_}); }

uint64_t Database::WalNumber() const {
  std::unique_ptr<rocksdb::LogFile> wal;
  return rocks_->GetCurrentWalFile(&wal).ok() ? wal->LogNumber() : 0;
}

std::string Database::Name() const { return absl::StrCat("data directory ", directory_); }

}  // namespace jobtail
