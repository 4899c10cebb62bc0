// What is known of runs, but for their logs, in the database.
#ifndef JOBTAIL_SERVER_LOG_ROCKSDB_RUN_LIST_H_
#define JOBTAIL_SERVER_LOG_ROCKSDB_RUN_LIST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobtail/storage/v1/stored_run.pb.h"
#include "server/log/rocksdb_reopenable.h"
#include "server/log/rocksdb_write_gate.h"

namespace jobtail {

// Keeps a StoredRun for each run. Where the list is damaged, runs are found by their logs.
//
// A store owns it; what the constructor is given outlives it. It has no state: thread-safe. Errors
// as LogStore's.
class RunList {
 public:
  RunList(const ReopenableDatabase* database, WriteGate* gate) : database_(database), gate_(gate) {}

  // Adds the run or replaces it; a new one only while there is room on the disk.
  absl::Status Put(const storage::v1::StoredRun& run);

  // All of them, oldest first.
  absl::StatusOr<std::vector<storage::v1::StoredRun>> Load() const;

 private:
  const ReopenableDatabase* const database_;
  WriteGate* const gate_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_ROCKSDB_RUN_LIST_H_
