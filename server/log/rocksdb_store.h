#ifndef JOBTAIL_SERVER_LOG_ROCKSDB_STORE_H_
#define JOBTAIL_SERVER_LOG_ROCKSDB_STORE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "server/log/log_store.h"
#include "server/log/store_keys.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Env;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace jobtail {

// The column families with batches.
struct LogFamilies {
  rocksdb::ColumnFamilyHandle* batches = nullptr;
  rocksdb::ColumnFamilyHandle* index = nullptr;
};

// When what was written is forced onto the disk. Whatever the mode, it survives the end of the
// process at any moment, kill -9 included; the modes differ in what a crash of the machine or a
// loss of power may take.
enum class SyncMode {
  kNone,      // what the system has not written by itself, often half a minute
  kInterval,  // what was written within the last `sync_interval`
  kAlways,    // nothing
};

struct RocksDbOptions {
  std::string directory;  // is created where it does not exist
  SyncMode sync = SyncMode::kInterval;
  absl::Duration sync_interval = absl::Seconds(1);
  // Memory: blocks that were read, and what was written and is not in a file of its own yet.
  size_t cache_bytes = size_t{32} << 20;
  size_t write_buffer_bytes = size_t{16} << 20;
  // So much is left free on the disk: new data is refused (RESOURCE_EXHAUSTED) before RocksDB
  // itself runs out of room. At most an eighth of the disk.
  uint64_t min_free_bytes = uint64_t{64} << 20;
  // So much is deleted before files are rewritten to give its room back, unless a minute passes.
  int64_t reclaim_bytes = int64_t{64} << 20;
  // Null: the system's. For tests; outlives the store.
  rocksdb::Env* env = nullptr;
};

// Keeps runs and logs in a RocksDB database, which one process at a time can open.
// docs/log-format.md describes the bytes, docs/operations.md what survives what. Thread-safe.
//
// What Append is given goes into the database as one write, and RocksDB joins the writes of several
// runs that come at the same time. What Read returns is a batch decompressed, each time
// anew, or a block of the database's cache where it was not compressed.
//
// Damage: a batch that cannot be read is skipped (see Read) and reported on the server's log, once.
class RocksDbStore : public LogStore {
 public:
  // FAILED_PRECONDITION if another process has the directory open, DATA_LOSS if it cannot be opened
  // for damage, UNAVAILABLE otherwise.
  static absl::StatusOr<std::unique_ptr<RocksDbStore>> Open(RocksDbOptions options);
  ~RocksDbStore() override;

  absl::Status PutRun(const storage::v1::StoredRun& run) override;
  absl::StatusOr<std::vector<storage::v1::StoredRun>> LoadRuns() override;
  absl::Status DeleteRun(const std::string& run) override;
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override;
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override;
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override;
  absl::Status Trim(const std::string& run, int64_t first) override;
  absl::Status CheckHealth() override;

  // As Append, but also while the disk is nearly full: for what has been promised already.
  absl::Status AppendPromised(const std::string& run, absl::Span<const Batch> batches, bool sync);

  // Has `function` called before each sync, on the thread that syncs; where there are none, once a
  // second. It must not take long, and may be called until the store is destroyed.
  void SetBeforeSync(std::function<void()> function);

  // Has everything in files that is in memory, and in the write-ahead log, for now.
  absl::Status Flush();

  // The database itself, for tests.
  rocksdb::DB* db() { return db_.get(); }

 private:
  // The end of a log.
  struct Head {
    absl::Mutex mutex;
    IndexEntry newest ABSL_GUARDED_BY(mutex);  // last 0: the log is empty
  };
  using Predicate = absl::FunctionRef<bool(const IndexEntry&)>;

  explicit RocksDbStore(RocksDbOptions options);
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync,
                      bool is_promised);
  absl::Status OpenDatabase();

  void LoadRunsOfLogs(const std::string& after, std::vector<storage::v1::StoredRun>* runs);
  absl::StatusOr<std::shared_ptr<Head>> FindHead(const std::string& run, std::string_view run_key);
  absl::StatusOr<IndexEntry> FindFirst(std::string_view run_key, Predicate wanted);
  absl::StatusOr<Batch> ReadAt(std::string_view run_key, const IndexEntry& entry);
  void ReportDamage(const std::string& run, int64_t first, int64_t last,
                    const absl::Status& status);

  bool IsDeleted(const std::string& batch_key);

  absl::Status Write(rocksdb::WriteBatch* batch, bool sync);
  absl::Status CheckRoom();
  absl::Status Refusal() const;
  void DoUpkeep();
  void Sync();
  void Recover();
  void WriteNothing();
  uint64_t WalNumber();
  rocksdb::Status FlushAll();

  struct Deletion {
    std::string begin;  // the range of keys in which everything is deleted
    std::string end;
    std::vector<std::string> keys;  // of the batches, unless it is done as a range
    int64_t bytes = 0;
    bool as_range = false;
  };
  Deletion PlanDeletion(std::string_view run_key, int64_t before);
  absl::Status DeleteBatches(std::string_view run_key, int64_t before, rocksdb::WriteBatch* write);
  void Reclaim();

  const RocksDbOptions options_;
  uint64_t min_free_bytes_ = 0;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  LogFamilies logs_;
  rocksdb::ColumnFamilyHandle* runs_ = nullptr;

  // Held by writes, shared, and by a sync alone: RocksDB ends the process if a write-ahead log is
  // synced that a write has just failed on, before failing_ tells of it.
  absl::Mutex sync_mutex_;
  std::atomic<bool> dirty_ = false;    // written, and not yet forced onto the disk
  std::atomic<bool> failing_ = false;  // the database has refused a write, and is yet to recover
  std::atomic<bool> full_ = false;
  std::atomic<uint64_t> torn_wal_ = 0;  // the write-ahead log that the last failed write was to
  bool is_stuck_ = false;               // of the thread for upkeep: that log cannot be left
  std::atomic<int64_t> unchecked_bytes_ = 0;  // written since the free room was last looked at

  absl::Mutex mutex_;
  std::function<void()> before_sync_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::shared_ptr<Head>> heads_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> reported_ ABSL_GUARDED_BY(mutex_);  // damaged batches
  // What was deleted and still takes room: ranges of keys, and how much it is.
  std::vector<std::pair<std::string, std::string>> deleted_ ABSL_GUARDED_BY(mutex_);
  int64_t deleted_bytes_ ABSL_GUARDED_BY(mutex_) = 0;

  // Last: their threads use the rest.
  std::unique_ptr<Scheduler> upkeep_;
  std::unique_ptr<Scheduler> reclaimer_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_ROCKSDB_STORE_H_
