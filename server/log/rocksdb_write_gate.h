// The one way to write to the database, and what is to be known of whether it is open.

#ifndef JOBTAIL_SERVER_LOG_ROCKSDB_WRITE_GATE_H_
#define JOBTAIL_SERVER_LOG_ROCKSDB_WRITE_GATE_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/log/rocksdb_database.h"
#include "server/log/rocksdb_options.h"
#include "server/log/rocksdb_wal_sync.h"

namespace rocksdb {
class WriteBatch;
}  // namespace rocksdb

namespace jobtail {

// Lets writes into the database, syncs them, and closes when one fails, until Recover has opened it
// again. What came after a torn piece of a write-ahead log would be lost: nothing is written behind
// a failure before what is in memory has come into files, and a new log has been begun.
//
// A write that was to be synced and whose sync has failed is in the database all the same: the
// caller is told of the error, and must be ready to find it there.
//
// A store owns it; `database` outlives it. Everything but Recover may be called from any thread at
// any time, and no lock is held while something is written or synced.
class WriteGate {
 public:
  WriteGate(const RocksDbOptions& options, const Database* database);

  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  // Writes all of the batch or nothing; with `sync`, or SyncMode::kAlways, returns when the disk
  // has it. RESOURCE_EXHAUSTED where the disk is full, otherwise UNAVAILABLE.
  absl::Status Write(rocksdb::WriteBatch* batch, bool sync);

  // Forces what was written onto the disk.
  absl::Status Sync();

  // RESOURCE_EXHAUSTED while the disk is (nearly) full. Asks the system once in some MiB.
  absl::Status CheckRoom();

  // Has the next CheckRoom ask the system.
  void ForgetRoom();

  // Whether something new would be taken at this moment.
  absl::Status CheckHealth() const;

  // Tries to open the gate where it is closed, and otherwise makes ready for that. To be called
  // every second or so, by one thread.
  void Recover();

 private:
  absl::Status Refusal() const;
  void Close(const absl::Status& error, int64_t opening);
  void Reopen();
  void ReportStuck();
  void KeepMemoryTableInUse();

  const bool syncs_always_;
  const Database* const database_;
  const uint64_t min_free_bytes_;
  WalSync wal_sync_;

  std::atomic<bool> full_ = false;
  std::atomic<int64_t> unchecked_bytes_ = 0;  // written since the free room was last looked at
  bool is_stuck_ = false;  // of the thread that recovers: it cannot be opened again
  // Changed with the mutex only.
  std::atomic<bool> closed_ = false;
  std::atomic<int64_t> openings_ = 1;  // how often it has been opened

  absl::Mutex mutex_;
  uint64_t torn_wal_ ABSL_GUARDED_BY(mutex_) = 0;  // the write-ahead log when it was closed
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_ROCKSDB_WRITE_GATE_H_
