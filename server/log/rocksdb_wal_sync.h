// Forces RocksDB's write-ahead log onto the disk while others write to it.
#ifndef JOBTAIL_SERVER_LOG_ROCKSDB_WAL_SYNC_H_
#define JOBTAIL_SERVER_LOG_ROCKSDB_WAL_SYNC_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/log/rocksdb_reopenable.h"

namespace rocksdb {
class RandomRWFile;
}  // namespace rocksdb

namespace jobtail {

// Syncs the write-ahead log by descriptors of its own. RocksDB's way has a choice of two evils: a
// write that syncs holds up all other writers until the disk has answered, and SyncWAL ends the
// process where a write has failed just before (docs/decisions/0026). What RocksDB has accepted is
// in the system's hands, and any descriptor of a file syncs the whole of it.
//
// Whoever syncs waits for a sync that begins after it has asked, and shares it with all who wait
// for the same: for the rest of one sync and the whole of another at most, however many others ask
// meanwhile. Writers wait for nobody.
//
// A WriteGate owns it; `database` outlives it. Thread-safe.
class WalSync {
 public:
  explicit WalSync(const ReopenableDatabase* database);
  ~WalSync();

  WalSync(const WalSync&) = delete;
  WalSync& operator=(const WalSync&) = delete;

  // To be called once a write has returned: the next Sync is for it, too.
  void NoteWrite() { writes_.fetch_add(1, std::memory_order_acq_rel); }

  // Forces onto the disk what was noted before, of `database`, which the caller has leased. Nothing
  // to do is OK. UNAVAILABLE or RESOURCE_EXHAUSTED if the disk refuses: then nobody knows what it
  // has of the write-ahead log, all who wait are told so, and so is everybody who asks until
  // Restart: another try could succeed where the system has dropped what it could not write.
  absl::Status Sync(const Database* database);

  // To be called when the database has been opened anew: with that, the disk has all that was
  // written before.
  void Restart();

 private:
  absl::Status SyncFilesLocked(const Database* database) ABSL_EXCLUSIVE_LOCKS_REQUIRED(files_);
  absl::Status FollowLocked(uint64_t newest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(files_);
  std::vector<uint64_t> NumbersBetween(uint64_t begin, uint64_t end) const;
  absl::Status Open(uint64_t number, std::unique_ptr<rocksdb::RandomRWFile>* file) const;

  const ReopenableDatabase* const database_;
  std::atomic<int64_t> writes_ = 0;  // that were noted

  absl::Mutex mutex_;  // held for moments only
  absl::CondVar done_;
  bool is_syncing_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t synced_ ABSL_GUARDED_BY(mutex_) = 0;  // so many of the writes
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);

  absl::Mutex files_ ABSL_ACQUIRED_AFTER(mutex_);  // held by whoever syncs
  // The write-ahead log that was the newest at the last sync: all before it are synced.
  uint64_t number_ ABSL_GUARDED_BY(files_) = 0;
  std::unique_ptr<rocksdb::RandomRWFile> file_ ABSL_GUARDED_BY(files_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_ROCKSDB_WAL_SYNC_H_
