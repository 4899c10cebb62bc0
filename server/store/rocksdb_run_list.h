// What is known of runs, but for their logs, in the database.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_RUN_LIST_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_RUN_LIST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobtail/storage/v1/stored_run.pb.h"
#include "server/log/log_store.h"
#include "server/store/rocksdb_reopenable.h"
#include "server/store/rocksdb_write_gate.h"

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

  // The run as it was last put; DATA_LOSS if that cannot be read.
  absl::StatusOr<storage::v1::StoredRun> Get(const std::string& run) const;

  // Gives `use` all of them, oldest first. The database is not leased meanwhile.
  absl::Status ForEach(LogStore::UseRun use) const;

 private:
  const ReopenableDatabase* const database_;
  WriteGate* const gate_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_RUN_LIST_H_
