// What of a journal continues the database, and is moved there.
#include "server/store/journal_recovery.h"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/store/journaled_log.h"

namespace jobtail {
namespace {

using BatchesByRun = std::map<std::string, std::vector<Batch>>;

// Whether this is wrong with the run, and not with the disk.
bool IsOfTheRun(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsDataLoss(status) ||
         absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status);
}

void ReportLoss(const std::string& run, const absl::Status& status) {
  spdlog::error("run {}: what the journal has of it is lost: {}", run, status.ToString());
}

// The number that would continue the run's log; 0 if the run is deleted, or damaged.
absl::StatusOr<int64_t> NextInDatabase(const std::string& run, RocksDbStore* store) {
  const absl::StatusOr<LogExtent> extent = store->GetExtent(run);
  if (extent.ok()) return extent->last + 1;
  if (!IsOfTheRun(extent.status())) return extent.status();
  if (!absl::IsNotFound(extent.status())) ReportLoss(run, extent.status());
  return 0;
}

// Those of `entries` that continue the logs of the database.
absl::StatusOr<BatchesByRun> Continuing(const std::vector<JournalEntry>& entries,
                                        RocksDbStore* store) {
  BatchesByRun logs;
  absl::flat_hash_map<std::string, int64_t> next;  // 0: of this run nothing is taken
  for (const auto& [run, batch] : entries) {
    const auto [known, is_new] = next.try_emplace(run, 0);
    if (is_new) {
      const absl::StatusOr<int64_t> expected = NextInDatabase(run, store);
      if (!expected.ok()) return expected.status();
      known->second = *expected;
    }
    if (known->second == 0 || batch.first < known->second) continue;
    if (batch.first > known->second) {
      spdlog::error("run {}: records {} to {} are lost, and those after them in the journal", run,
                    known->second, batch.first - 1);
      known->second = 0;
      continue;
    }
    known->second = batch.last + 1;
    logs[run].push_back(batch);
  }
  return logs;
}

}  // namespace

absl::Status RecoverJournal(const std::vector<JournalEntry>& entries, size_t join_bytes,
                            RocksDbStore* store) {
  const absl::StatusOr<BatchesByRun> logs = Continuing(entries, store);
  if (!logs.ok()) return logs.status();
  int64_t records = 0;
  for (const auto& [run, batches] : *logs) {
    const absl::Status stored =
        store->AppendPromised(run, Join(batches, join_bytes), /*sync=*/false);
    if (stored.ok()) {
      records += batches.back().last - batches.front().first + 1;
    } else if (IsOfTheRun(stored)) {
      ReportLoss(run, stored);
    } else {
      return stored;
    }
  }
  if (records == 0) return absl::OkStatus();
  spdlog::info("journal: {} records of {} runs were moved to the database", records, logs->size());
  return store->Sync();
}

}  // namespace jobtail
