// The database of a data directory through everything that a disk does to it.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_REOPENABLE_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_REOPENABLE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/store/rocksdb_database.h"
#include "server/store/rocksdb_options.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace jobtail {

// Holds an open Database, and closes and opens it anew after an error that RocksDB does not get
// over by itself, while others go on using it. What was written before is in the write-ahead log,
// and with that in the new one (docs/decisions/0029).
//
// A store owns it, and everything that uses it goes before it. Reopen is for one thread, the rest
// may be called from any.
class ReopenableDatabase {
 public:
  // Keeps the database open for as long as it lives: for a call, not longer. Everything of RocksDB
  // that was got through it, iterators above all, goes before it.
  class Lease {
   public:
    Lease(Lease&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (owner_) owner_->Return();
    }

    const Database* get() const { return owner_->database_.get(); }
    const Database* operator->() const { return get(); }

   private:
    friend class ReopenableDatabase;
    explicit Lease(const ReopenableDatabase* owner) : owner_(owner) {}
    const ReopenableDatabase* owner_;
  };

  // As Database::Open.
  static absl::StatusOr<std::unique_ptr<ReopenableDatabase>> Open(const RocksDbOptions& options);
  ~ReopenableDatabase();

  ReopenableDatabase(const ReopenableDatabase&) = delete;
  ReopenableDatabase& operator=(const ReopenableDatabase&) = delete;

  // Waits while the database is just being opened anew, at most kPatience. UNAVAILABLE if it is not
  // open.
  //
  // Hazard: who has a lease already must not ask for another, which may wait for the first to end.
  absl::StatusOr<Lease> Use() const;

  // Closes the database, once all leases have ended, and opens it again; only opens it if that has
  // failed before. It takes as long as reading the write-ahead log does, half a second as a rule.
  absl::Status Reopen();

  // Ends what RocksDB does by itself, and what waits for that. Only Reopen, or the end, comes
  // after.
  void StopBackgroundWork() const;

  const std::string& directory() const { return options_.directory; }
  rocksdb::Env* env() const;
  // As Database::Name.
  std::string Name() const;

  static constexpr absl::Duration kPatience = absl::Seconds(10);

 private:
  explicit ReopenableDatabase(const RocksDbOptions& options) : options_(options) {}

  void Return() const;
  bool IsUnusedLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return leases_ == 0; }
  bool IsSettledLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !opening_; }

  const RocksDbOptions options_;
  std::unique_ptr<Database> database_;  // changes while there is no lease, and there can be none

  mutable absl::Mutex mutex_;
  mutable int leases_ ABSL_GUARDED_BY(mutex_) = 0;
  bool opening_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status state_ ABSL_GUARDED_BY(mutex_);  // why it is not open
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_REOPENABLE_H_
