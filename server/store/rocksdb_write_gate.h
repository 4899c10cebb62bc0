// The one way to write to the database, and what is to be known of whether it is open.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_WRITE_GATE_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_WRITE_GATE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/store/rocksdb_database.h"
#include "server/store/rocksdb_options.h"
#include "server/store/rocksdb_reopenable.h"
#include "server/store/rocksdb_wal_sync.h"

namespace rocksdb {
class WriteBatch;
}  // namespace rocksdb

namespace jobtail {

// Lets writes into the database, syncs them, and closes when one fails, until Recover has opened
// the database anew. What came after a torn piece of a write-ahead log would be lost, and RocksDB
// does not get over every error: nothing is written behind a failure before all that was written
// has been read from the write-ahead log, is in files, and a new log has been begun.
//
// A write that was to be synced and whose sync has failed is in the database all the same: the
// caller is told of the error, and must be ready to find it there.
//
// A store owns it; `database` outlives it. Everything but Recover may be called from any thread at
// any time, and no lock of the gate is held while something is written or synced.
class WriteGate {
 public:
  WriteGate(const RocksDbOptions& options, ReopenableDatabase* database);

  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  // Writes all of the batch or nothing to `database`, which the caller has leased; with `sync`, or
  // SyncMode::kAlways, returns when the disk has it. RESOURCE_EXHAUSTED where the disk is full,
  // otherwise UNAVAILABLE.
  absl::Status Write(const Database* database, rocksdb::WriteBatch* batch, bool sync);

  // Forces what was written onto the disk.
  absl::Status Sync();

  // RESOURCE_EXHAUSTED while the disk is (nearly) full. Asks the system once in some MiB.
  absl::Status CheckRoom();

  // Has the next CheckRoom ask the system.
  void ForgetRoom();

  // Whether something new would be taken at this moment.
  absl::Status CheckHealth() const;

  // Opens the database anew where the gate is closed, or RocksDB has met an error that stops
  // writing, and with that the gate. Readers go on until there is hope that the disk takes writes:
  // there is room, and a file can be written. To be called every second or so, by one thread.
  void Recover();

  // See CompactionPauses: to be called every second or so, by a thread that never writes.
  void PauseCompactions() const;

  // As Database::Name.
  std::string name() const { return database_->Name(); }

 private:
  absl::Status Sync(const Database* database);
  absl::Status Refusal() const;
  void Close(const absl::Status& error, int64_t opening);
  void CloseAfterBackgroundError();
  absl::Status CheckCanReopen() const;
  void Reopen();

  Clock* const clock_;
  const bool syncs_always_;
  ReopenableDatabase* const database_;
  const uint64_t min_free_bytes_;
  WalSync wal_sync_;

  std::atomic<bool> full_ = false;
  std::atomic<int64_t> unchecked_bytes_ = 0;  // written since the free room was last looked at
  std::string reported_;                      // of the thread that recovers: why it could not, last
  // Changed with the mutex only.
  std::atomic<bool> closed_ = false;
  std::atomic<int64_t> openings_ = 1;  // how often it has been opened

  absl::Mutex mutex_;  // held while closed_ changes
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_WRITE_GATE_H_
