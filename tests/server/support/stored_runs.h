// What a store knows of all runs, for tests to look at.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_STORED_RUNS_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_STORED_RUNS_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/log/log_store.h"

namespace jobtail::testing {

// All runs, oldest first.
inline absl::StatusOr<std::vector<storage::v1::StoredRun>> LoadRuns(LogStore& store) {
  std::vector<storage::v1::StoredRun> runs;
  const absl::Status loaded =
      store.ForEachRun([&](storage::v1::StoredRun run) { runs.push_back(std::move(run)); });
  if (!loaded.ok()) return loaded;
  return runs;
}

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_STORED_RUNS_H_
