// Counts failed compactions, and sets the options of their families.
#include "server/store/rocksdb_compaction_pauses.h"

#include <spdlog/spdlog.h>

#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "server/store/rocksdb_tuning.h"

namespace jobtail {
namespace {

using Options = std::unordered_map<std::string, std::string>;

constexpr int kNoLimit = 1 << 30;

Options Paused(bool paused) { return {{"disable_auto_compactions", paused ? "true" : "false"}}; }

Options Limits(int slowdown, int stop) {
  return {{"level0_slowdown_writes_trigger", absl::StrCat(slowdown)},
          {"level0_stop_writes_trigger", absl::StrCat(stop)}};
}

}  // namespace

void CompactionPauses::OnCompactionCompleted(rocksdb::DB* /*database*/,
                                             const rocksdb::CompactionJobInfo& info) {
  absl::MutexLock lock(&mutex_);
  if (IsUnreadable(info.status)) {
    ++families_[info.cf_name].failures;
  } else if (info.status.ok()) {
    if (const auto found = families_.find(info.cf_name); found != families_.end()) {
      found->second.failures = 0;
    }
  }
}

void CompactionPauses::Apply(rocksdb::DB* database,
                             absl::Span<rocksdb::ColumnFamilyHandle* const> families,
                             absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  if (families_.empty()) return;
  for (rocksdb::ColumnFamilyHandle* const handle : families) {
    const auto found = families_.find(handle->GetName());
    if (found == families_.end()) continue;
    Apply(database, handle, now, &found->second);
    if (!found->second.is_unlimited && found->second.failures == 0) families_.erase(found);
  }
}

// The options are set without the lock: RocksDB tells of other compactions meanwhile, and one that
// waits for the lock may be what setting them waits for.
void CompactionPauses::Apply(rocksdb::DB* database, rocksdb::ColumnFamilyHandle* handle,
                             absl::Duration now, Family* family) {
  const auto set = [&](const Options& options) {
    mutex_.Unlock();
    const rocksdb::Status status = database->SetOptions(handle, options);
    mutex_.Lock();
    return status.ok();
  };
  if (!family->is_paused && family->failures >= kFailures) {
    if (!set(Paused(true)) || !set(Limits(kNoLimit, kNoLimit))) return;
    if (!family->is_unlimited) {
      spdlog::error(
          "store: files of {} cannot be rewritten: one of them is damaged, or cannot be "
          "read; it is tried every {}, and new files are kept as they are",
          handle->GetName(), absl::FormatDuration(kPause));
    }
    family->is_paused = family->is_unlimited = true;
    family->resumes = now + kPause;
  } else if (family->is_paused && now >= family->resumes) {
    if (!set(Paused(false))) return;
    family->is_paused = false;
    family->failures = 1;  // until one is done
  } else if (!family->is_paused && family->is_unlimited && family->failures == 0) {
    if (!set(Limits(kLevel0Slowdown, kLevel0Stop))) return;
    family->is_unlimited = false;
    spdlog::info("store: files of {} are rewritten again", handle->GetName());
  }
}

}  // namespace jobtail
