#ifndef JOBTAIL_SERVER_LOG_JOURNALED_STORE_H_
#define JOBTAIL_SERVER_LOG_JOURNALED_STORE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/log/journal.h"
#include "server/log/log_store.h"
#include "server/log/rocksdb_store.h"

namespace jobtail {

struct JournalOptions {
  // Of the file, in which what comes within a second or so should find room.
  size_t bytes = size_t{8} << 20;
  // What is larger goes into the database directly, which takes large things as fast.
  size_t largest = size_t{16} << 10;
  // Batches that wait are joined to larger ones, up to this size, when the database gets them;
  // 0: they stay as they are.
  size_t join_bytes = kBatchBytes;
};

// A RocksDbStore with a journal before it: a batch that comes alone is stored by one write to the
// journal, a quarter of the time that the database takes for it (docs/decisions/0021), and handed
// on to the database before that is next synced, together with what came meanwhile. Keeps all
// promises of RocksDbStore; with SyncMode::kAlways it does nothing.
//
// What the journal has and the database does not is also held in memory, and read from there. A
// process that was killed leaves it in the file, and the next one hands it on before anything else.
// Thread-safe.
class JournaledStore : public LogStore {
 public:
  // As RocksDbStore::Open; UNAVAILABLE also if the journal cannot be opened.
  static absl::StatusOr<std::unique_ptr<JournaledStore>> Open(RocksDbOptions options,
                                                              JournalOptions journal = {});
  ~JournaledStore() override;

  absl::Status PutRun(const storage::v1::StoredRun& run) override { return store_->PutRun(run); }
  absl::StatusOr<std::vector<storage::v1::StoredRun>> LoadRuns() override {
    return store_->LoadRuns();
  }
  absl::Status DeleteRun(const std::string& run) override;
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override;
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override;
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override;
  absl::Status Trim(const std::string& run, int64_t first) override;
  absl::Status CheckHealth() override { return store_->CheckHealth(); }

  // Hands everything that waits on to the database.
  void HandOn();

  // The database itself, for tests.
  RocksDbStore* database() { return store_.get(); }

 private:
  // A log that grows.
  struct Growing {
    explicit Growing(std::string run_key) : key(std::move(run_key)) {}

    const std::string key;  // as in the database
    // Held while something goes into the database or the journal: one after the other.
    absl::Mutex writing;
    int64_t last ABSL_GUARDED_BY(writing) = 0;  // the last record, wherever it is
    size_t waiting_bytes ABSL_GUARDED_BY(writing) = 0;
    // What waits: in the journal, not in the database. Nothing is taken from it before the database
    // has it. Changed only with `writing` as well.
    absl::Mutex mutex ABSL_ACQUIRED_AFTER(writing);
    std::vector<Batch> waiting ABSL_GUARDED_BY(mutex);
    std::vector<Journal::Half> halves ABSL_GUARDED_BY(mutex);  // where each is
  };

  explicit JournaledStore(JournalOptions options) : options_(options) {}

  absl::Status Recover();
  absl::StatusOr<std::map<std::string, std::vector<Batch>>> Continuing(
      const std::vector<Journal::Entry>& entries);
  absl::StatusOr<int64_t> NextInDatabase(const std::string& run);
  absl::StatusOr<std::shared_ptr<Growing>> FindOrAdd(const std::string& run);
  std::shared_ptr<Growing> Find(const std::string& run);
  std::vector<Batch> Waiting(const std::string& run);

  bool Takes(const Growing& log, absl::Span<const Batch> batches) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log.writing);
  bool WriteToJournal(const Batch& batch, Growing* log) ABSL_EXCLUSIVE_LOCKS_REQUIRED(log->writing);
  absl::Status Store(const std::string& run, absl::Span<const Batch> batches, bool sync,
                     Growing* log) ABSL_EXCLUSIVE_LOCKS_REQUIRED(log->writing);
  void Forget(Growing* log) ABSL_EXCLUSIVE_LOCKS_REQUIRED(log->writing);
  void HandOn(const std::string& run);

  const JournalOptions options_;
  std::unique_ptr<Journal> journal_;  // null: everything goes into the database directly

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Growing>> growing_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<RocksDbStore> store_;  // last: its upkeep uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_JOURNALED_STORE_H_
