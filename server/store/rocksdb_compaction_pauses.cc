// Counts failed compactions, and sets the options of their families.
#include "server/store/rocksdb_compaction_pauses.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "server/store/rocksdb_tuning.h"

namespace jobtail {
namespace {

constexpr int kNoLimit = 1 << 30;

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

// The options are set without the lock: what setting them waits for may be about to tell of a
// compaction.
void CompactionPauses::Apply(rocksdb::DB* database,
                             absl::Span<rocksdb::ColumnFamilyHandle* const> families,
                             absl::Duration now) {
  for (rocksdb::ColumnFamilyHandle* const handle : families) {
    const std::string& name = handle->GetName();
    const Step step = NextOf(name, now);
    if (step == Step::kNone) continue;
    if (database->SetOptions(handle, OptionsOf(step)).ok()) Note(name, step, now);
  }
}

CompactionPauses::Step CompactionPauses::NextOf(const std::string& name, absl::Duration now) const {
  absl::MutexLock lock(&mutex_);
  const auto found = families_.find(name);
  if (found == families_.end()) return Step::kNone;
  const Family& family = found->second;
  if (family.is_paused) return now >= family.resumes ? Step::kResume : Step::kNone;
  if (family.failures >= kFailures) return Step::kPause;
  return family.is_unlimited && family.failures == 0 ? Step::kLimit : Step::kNone;
}

CompactionPauses::Options CompactionPauses::OptionsOf(Step step) {
  const auto limits = [](int slowdown, int stop) {
    return Options{{"level0_slowdown_writes_trigger", absl::StrCat(slowdown)},
                   {"level0_stop_writes_trigger", absl::StrCat(stop)}};
  };
  if (step == Step::kResume) return {{"disable_auto_compactions", "false"}};
  if (step == Step::kLimit) return limits(kLevel0Slowdown, kLevel0Stop);
  Options options = limits(kNoLimit, kNoLimit);
  options.emplace("disable_auto_compactions", "true");
  return options;
}

void CompactionPauses::Note(const std::string& name, Step step, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  Family& family = families_[name];
  switch (step) {
    case Step::kPause:
      if (!family.is_unlimited) {
        spdlog::error(
            "store: files of {} cannot be rewritten: one of them is damaged, or cannot be read; it "
            "is tried every {}, and new files are kept as they are",
            name, absl::FormatDuration(kPause));
      }
      family = {.failures = 1, .is_paused = true, .is_unlimited = true, .resumes = now + kPause};
      return;
    case Step::kResume:
      family.is_paused = false;  // and without a limit, until one is done
      return;
    default:
      families_.erase(name);
      spdlog::info("store: files of {} are rewritten again", name);
  }
}

}  // namespace jobtail
