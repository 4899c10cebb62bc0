// Runs and logs on disk, in a RocksDB database.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_STORE_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_STORE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/log/log_store.h"
#include "server/store/rocksdb_damage_reports.h"
#include "server/store/rocksdb_log_reader.h"
#include "server/store/rocksdb_log_writer.h"
#include "server/store/rocksdb_options.h"
#include "server/store/rocksdb_reclaimer.h"
#include "server/store/rocksdb_reopenable.h"
#include "server/store/rocksdb_run_list.h"
#include "server/store/rocksdb_upkeep.h"
#include "server/store/rocksdb_write_gate.h"

namespace jobtail {

// Keeps runs and logs in a RocksDB database, which one process at a time can open.
// docs/log-format.md describes the bytes, docs/operations.md what survives what. Thread-safe. Its
// parts do the work; this puts them together, and takes them down in the right order.
//
// Damage: a batch that cannot be read is skipped (see Read) and reported on the server's log, once.
class RocksDbStore : public LogStore {
 public:
  // FAILED_PRECONDITION if another process has the directory open, or a newer server has written
  // it; DATA_LOSS if it cannot be opened for damage, UNAVAILABLE otherwise.
  static absl::StatusOr<std::unique_ptr<RocksDbStore>> Open(const RocksDbOptions& options);
  ~RocksDbStore() override = default;

  absl::Status PutRun(const storage::v1::StoredRun& run) override { return runs_.Put(run); }
  absl::StatusOr<storage::v1::StoredRun> GetRun(const std::string& run) override {
    return runs_.Get(run);
  }
  absl::Status ForEachRun(UseRun use) override { return runs_.ForEach(use); }
  absl::Status DeleteRun(const std::string& run) override { return writer_.DeleteRun(run); }
  absl::Status DeleteRuns(absl::Span<const std::string> runs) override {
    return writer_.DeleteRuns(runs);
  }
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override;
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  absl::StatusOr<Batch> ReadOnce(const std::string& run, int64_t sequence) override;
  std::optional<CompressedBatch> ReadCompressed(const std::string& run, int64_t sequence) override;
  bool keeps_compressed() const override { return true; }
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override;
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override;
  absl::Status Trim(const std::string& run, int64_t first) override {
    return writer_.Trim(run, first);
  }
  absl::Status Checkpoint(const std::string& directory) override;
  absl::Status CheckHealth() override;

  // Whether something new would be taken at this moment, as far as the last writes tell.
  bool IsWritable() const { return gate_.CheckHealth().ok(); }

  // As Append, but also while the disk is nearly full: for what has been promised already.
  absl::Status AppendPromised(const std::string& run, absl::Span<const Batch> batches, bool sync);

  // The same for several logs at once, with one sync where each write is synced; see
  // RocksDbLogWriter.
  using Addition = RocksDbLogWriter::Addition;
  void AppendAllPromised(absl::Span<Addition> additions) { writer_.AppendAll(additions); }

  // See Upkeep::SetBeforeSync.
  void SetBeforeSync(Upkeep::BeforeSync function) { upkeep_.SetBeforeSync(std::move(function)); }

  // Forces what was written onto the disk.
  absl::Status Sync() { return gate_.Sync(); }

  // Has everything in files that is in memory, and in the write-ahead log, for now.
  absl::Status Flush();

  // The database itself as it is open now, for tests.
  rocksdb::DB* db() { return (*database_->Use())->rocks(); }

 private:
  RocksDbStore(const RocksDbOptions& options, std::unique_ptr<ReopenableDatabase> database);

  // Each uses those before it.
  const std::unique_ptr<ReopenableDatabase> database_;
  DamageReports damage_;
  WriteGate gate_;
  Reclaimer reclaimer_;
  RocksDbLogReader reader_;
  RocksDbLogWriter writer_;
  RunList runs_;
  Upkeep upkeep_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_STORE_H_
