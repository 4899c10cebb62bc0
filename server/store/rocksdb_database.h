// The RocksDB database in a data directory, open.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_DATABASE_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/store/rocksdb_options.h"
#include "server/store/rocksdb_wal_salvage.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Env;
class Status;
}  // namespace rocksdb

namespace jobtail {

class BackgroundErrors;
class CompactionPauses;

// An open database, with its column families. Whoever writes goes through a WriteGate: a direct
// write after one that has failed can be lost, or end the process.
//
// A ReopenableDatabase owns it, and lends it. Nothing in it changes between Open
// and the destructor, and RocksDB is thread-safe: every function may be called from any thread.
class Database {
 public:
  // FAILED_PRECONDITION if another process has the directory open, or a newer server has written
  // it; DATA_LOSS if it cannot be opened for damage, UNAVAILABLE otherwise.
  // What RocksDB cannot read of the write-ahead logs is put aside first (see SalvageWals). `cache`
  // is that of a database that was open before, or null.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const RocksDbOptions& options,
                                                        ReadErrors errors,
                                                        std::shared_ptr<rocksdb::Cache> cache);
  ~Database();

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB* rocks() const { return rocks_.get(); }
  rocksdb::Env* env() const;
  const std::string& directory() const { return directory_; }
  // What blocks that were read lie in. They may be held longer than the database is open.
  const std::shared_ptr<rocksdb::Cache>& cache() const { return cache_; }

  // The column families; docs/log-format.md says what each has.
  rocksdb::ColumnFamilyHandle* batches() const { return batches_; }
  rocksdb::ColumnFamilyHandle* index() const { return index_; }
  rocksdb::ColumnFamilyHandle* runs() const { return runs_; }

  // The first error that RocksDB met on threads of its own and after which it takes no more writes;
  // OK if there was none. It is not met again: the database has to be opened anew.
  absl::Status BackgroundError() const;

  // See CompactionPauses::Apply.
  void PauseCompactions(absl::Duration now) const;

  // Ends what RocksDB does by itself, and what waits for that; nothing is written from then on.
  void StopBackgroundWork() const;

  // Has in files what is in memory and in the write-ahead log, and begins another such log.
  rocksdb::Status Flush() const;

  // See LogStore::Checkpoint. It is of this database's format, and durable.
  absl::Status Checkpoint(const std::string& directory) const;

  // The number of the write-ahead log that is written to; 0 if that cannot be told.
  uint64_t WalNumber() const;

  // "data directory DIR", for what is said of it.
  std::string Name() const;

 private:
  Database(std::string directory, std::shared_ptr<rocksdb::Cache> cache);
  absl::Status OpenRocks(const RocksDbOptions& options);

  const std::string directory_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  const std::shared_ptr<BackgroundErrors> errors_;
  const std::shared_ptr<CompactionPauses> pauses_;
  std::unique_ptr<rocksdb::DB> rocks_;
  rocksdb::ColumnFamilyHandle* batches_ = nullptr;
  rocksdb::ColumnFamilyHandle* index_ = nullptr;
  rocksdb::ColumnFamilyHandle* runs_ = nullptr;
  rocksdb::ColumnFamilyHandle* format_ = nullptr;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_DATABASE_H_
