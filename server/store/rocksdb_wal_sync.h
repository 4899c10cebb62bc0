// Forces RocksDB's write-ahead log onto the disk while others write to it.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_WAL_SYNC_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_WAL_SYNC_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/store/rocksdb_reopenable.h"
#include "server/store/shared_sync.h"

namespace rocksdb {
class RandomRWFile;
}  // namespace rocksdb

namespace jobtail {

// Syncs the write-ahead log by descriptors of its own. RocksDB's way has a choice of two evils: a
// write that syncs holds up all other writers until the disk has answered, and SyncWAL ends the
// process where a write has failed just before (docs/decisions/0026). What RocksDB has accepted is
// in the system's hands, and any descriptor of a file syncs the whole of it.
//
// Whoever syncs shares it with all who wait for the same, as SharedSync has it; writers wait for
// nobody.
//
// A WriteGate owns it; `database` outlives it. Thread-safe.
class WalSync {
 public:
  explicit WalSync(const ReopenableDatabase* database);
  ~WalSync();

  WalSync(const WalSync&) = delete;
  WalSync& operator=(const WalSync&) = delete;

  // To be called once a write has returned: the next Sync is for it, too.
  void NoteWrite() { shared_.NoteWrite(); }

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
  absl::StatusOr<std::vector<uint64_t>> NumbersBetween(uint64_t begin, uint64_t end) const;
  absl::Status Open(uint64_t number, std::unique_ptr<rocksdb::RandomRWFile>* file) const;

  const ReopenableDatabase* const database_;
  SharedSync shared_;

  absl::Mutex files_;  // held by whoever syncs
  // The write-ahead log that was the newest at the last sync: all before it are synced.
  uint64_t number_ ABSL_GUARDED_BY(files_) = 0;
  std::unique_ptr<rocksdb::RandomRWFile> file_ ABSL_GUARDED_BY(files_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_WAL_SYNC_H_
