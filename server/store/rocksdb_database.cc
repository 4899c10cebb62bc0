// Opens the database and its column families.
#include "server/store/rocksdb_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/rocksdb_compaction_pauses.h"
#include "server/store/rocksdb_directory.h"
#include "server/store/rocksdb_private_files.h"
#include "server/store/rocksdb_tuning.h"

namespace jobtail {
namespace {

// Whether somebody else has the directory, as opposed to a lock's file that cannot be opened.
bool IsLockedByOthers(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && absl::StrContains(text, "lock") &&
         !absl::StrContains(text, "open a file for lock");
}

absl::Status OpenError(const rocksdb::Status& status, const std::string& name) {
  if (IsLockedByOthers(status)) {
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

// Nobody else may have the directory while it is mended. What was not looked at must not be opened:
// RocksDB would give up all that comes after what is damaged.
absl::Status Salvage(const RocksDbOptions& options, ReadErrors errors, rocksdb::Env* env) {
  const std::string path = options.directory + "/LOCK";
  rocksdb::FileLock* lock = nullptr;
  if (const rocksdb::Status locked = env->LockFile(path, &lock); !locked.ok()) {
    return OpenError(locked, absl::StrCat("data directory ", options.directory));
  }
  absl::Status salvaged = SalvageWals(options.directory, errors);
  env->UnlockFile(lock).PermitUncheckedError();
  return salvaged;
}

// Whether a directory of this name can be made.
absl::Status CheckIsFree(const std::string& directory) {
  const std::string name = absl::StrCat("checkpoint ", directory.empty() ? "\"\"" : directory);
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(directory, error))) {
    return absl::AlreadyExistsError(
        absl::StrCat(name, ": is there already; give the name of a directory to be made"));
  }
  const std::filesystem::path parent = std::filesystem::absolute(directory, error).parent_path();
  if (!directory.empty() && std::filesystem::is_directory(parent, error)) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat(name, ": there is no directory ", parent.string(), " to make it in"));
}

}  // namespace

Database::Database(std::string directory, std::shared_ptr<rocksdb::Cache> cache)
    : directory_(std::move(directory)),
      cache_(std::move(cache)),
      errors_(std::make_shared<BackgroundErrors>()),
      pauses_(std::make_shared<CompactionPauses>()) {}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const RocksDbOptions& options,
                                                         ReadErrors errors,
                                                         std::shared_ptr<rocksdb::Cache> cache) {
  if (absl::Status ready = PrepareDirectory(options.directory); !ready.ok()) return ready;
  absl::Status salvaged = Salvage(options, errors, EnvOf(options));
  if (!salvaged.ok()) return salvaged;
  if (!cache) cache = rocksdb::NewLRUCache(options.cache_bytes, /*num_shard_bits=*/2);
  std::unique_ptr<Database> result(new Database(options.directory, std::move(cache)));
  if (absl::Status opened = result->OpenRocks(options); !opened.ok()) return opened;
  if (absl::Status marked = MarkDirectoryFormat(options.directory); !marked.ok()) return marked;
  return result;
}

absl::Status Database::OpenRocks(const RocksDbOptions& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (int family = 0; family < kFamilies; ++family) {
    families.emplace_back(kFamilyNames[family],
                          MakeFamilyOptions(static_cast<ColumnFamily>(family), options, cache_));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* rocks = nullptr;
  rocksdb::DBOptions setup = MakeDbOptions(options, {errors_, pauses_});
  rocksdb::Status opened = rocksdb::DB::Open(setup, directory_, families, &handles, &rocks);
  if (opened.IsCorruption()) {
    spdlog::error("{}: damaged ({}); what is sound in it is served", Name(), opened.ToString());
    setup.paranoid_checks = false;
    opened = rocksdb::DB::Open(setup, directory_, families, &handles, &rocks);
  }
  if (!opened.ok()) return OpenError(opened, Name());
  rocks_.reset(rocks);
  batches_ = handles[kBatchesFamily];
  index_ = handles[kIndexFamily];
  runs_ = handles[kRunsFamily];
  format_ = handles[kFormatFamily];
  return absl::OkStatus();
}

Database::~Database() {
  if (!rocks_) return;
  for (rocksdb::ColumnFamilyHandle* family : {batches_, index_, runs_, format_}) {
    rocks_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  rocks_->Close().PermitUncheckedError();
}

void Database::PauseCompactions(absl::Duration now) const {
  pauses_->Apply(rocks_.get(), {batches_, index_, runs_}, now);
}

absl::Status Database::BackgroundError() const { return ToStatus(errors_->First(), Name()); }

void Database::StopBackgroundWork() const {
  rocks_->DisableManualCompaction();
  rocksdb::CancelAllBackgroundWork(rocks_.get(), /*wait=*/false);
}

rocksdb::Env* Database::env() const { return rocks_->GetEnv(); }

rocksdb::Status Database::Flush() const { return rocks_->Flush({}, {batches_, index_, runs_}); }

// The write-ahead logs are copied as they are: nothing has to be written for them, and it takes as
// long on a busy server as on an idle one.
absl::Status Database::Checkpoint(const std::string& directory) const {
  if (absl::Status free = CheckIsFree(directory); !free.ok()) return free;
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status copied = rocksdb::Checkpoint::Create(rocks_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (copied.ok()) {
    copied = checkpoint->CreateCheckpoint(directory, std::numeric_limits<uint64_t>::max());
  }
  const std::string name = absl::StrCat("checkpoint ", directory);
  if (!copied.ok()) return ToStatus(copied, name);
  absl::Status marked = MarkDirectoryFormat(directory);
  if (marked.ok() && chmod(directory.c_str(), 0700) != 0) {
    marked = absl::UnavailableError(absl::StrCat(name, ": chmod: ", strerror(errno)));
  }
  std::error_code ignored;
  if (!marked.ok()) std::filesystem::remove_all(directory, ignored);
  return marked;
}

uint64_t Database::WalNumber() const {
  std::unique_ptr<rocksdb::LogFile> wal;
  return rocks_->GetCurrentWalFile(&wal).ok() ? wal->LogNumber() : 0;
}

std::string Database::Name() const { return absl::StrCat("data directory ", directory_); }

}  // namespace jobtail
