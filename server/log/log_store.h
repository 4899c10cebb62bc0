#ifndef JOBTAIL_SERVER_LOG_LOG_STORE_H_
#define JOBTAIL_SERVER_LOG_LOG_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "jobtail/v1/run.pb.h"
#include "server/log/batch.h"

namespace jobtail {

// What a log has in the store. An empty log has first 1 and last 0.
struct LogExtent {
  int64_t first = 1;  // sequence number of the oldest record that is still there
  int64_t last = 0;   // sequence number of the newest record
};

// Keeps runs and their logs. Implementations differ in what survives; each states it.
//
// All functions may be called from any thread at once, but for one log there is only one call of
// Append at a time, and none together with or after DeleteRun.
// tests/server/log/log_store_conformance.h holds the promises made here against every
// implementation.
//
// Errors: NOT_FOUND for a run or record that is not there, FAILED_PRECONDITION for a hole in the
// numbering; whatever else a medium comes up with is UNAVAILABLE (worth trying again),
// RESOURCE_EXHAUSTED (full) or DATA_LOSS (damaged).
class LogStore {
 public:
  virtual ~LogStore() = default;

  // Creates the run `run.id()` with an empty log, or replaces what is known of it.
  virtual absl::Status PutRun(const v1::Run& run) = 0;

  // All runs, oldest first: for the start of a server.
  virtual absl::StatusOr<std::vector<v1::Run>> LoadRuns() = 0;

  // Deletes the run and its log.
  virtual absl::Status DeleteRun(const std::string& run) = 0;

  // Appends consecutive batches that continue the log: all of them or, on error, none. Once it
  // returns OK they can be read, and survive whatever the store promises to survive; with `sync`,
  // also what it otherwise promises only after a while.
  virtual absl::Status Append(const std::string& run, absl::Span<const Batch> batches,
                              bool sync) = 0;

  virtual absl::StatusOr<LogExtent> GetExtent(const std::string& run) = 0;

  // The batch that contains `sequence`.
  virtual absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) = 0;

  // The first batch whose last record was made at or after `unix_nanos`. NOT_FOUND if all are
  // older.
  virtual absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_STORE_H_
