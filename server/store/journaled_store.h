// Runs and logs in a RocksDB database, with a journal before it for what comes alone.
#ifndef JOBTAIL_SERVER_STORE_JOURNALED_STORE_H_
#define JOBTAIL_SERVER_STORE_JOURNALED_STORE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "server/log/log_store.h"
#include "server/store/journal.h"
#include "server/store/journaled_log.h"
#include "server/store/rocksdb_store.h"

namespace jobtail {

struct JournalOptions {
  // Of the file, in which what comes within a second or so should find room.
  size_t bytes = size_t{8} << 20;
  // What is larger goes into the database directly, which takes large things as fast.
  size_t largest = kSmallBytes;
  // Batches that wait are joined to larger ones, up to this size, when they are moved to the
  // database; 0: they stay as they are.
  size_t join_bytes = kBatchBytes;
  // See Journal::Create. For tests.
  Journal::SyncFile sync_file = nullptr;
};

// A RocksDbStore with a journal before it: a batch that comes alone is stored by one write to the
// journal, a quarter of the time that the database takes for it (docs/decisions/0021), and moved to
// the database before that is next synced, together with what came meanwhile. Keeps all promises of
// RocksDbStore: with SyncMode::kAlways each write to the journal is synced, and does not wait for
// the database's own syncs, which carry what is large (docs/decisions/0048).
//
// What the journal has and the database does not is also held in memory, and read from there. A
// process that was killed leaves it in the file, and the next one moves it to the database before
// anything else. Thread-safe.
class JournaledStore : public LogStore {
 public:
  // As RocksDbStore::Open; UNAVAILABLE also if the journal cannot be read or made.
  static absl::StatusOr<std::unique_ptr<JournaledStore>> Open(const RocksDbOptions& options,
                                                              const JournalOptions& journal = {});
  ~JournaledStore() override;

  absl::Status PutRun(const storage::v1::StoredRun& run) override { return store_->PutRun(run); }
  absl::StatusOr<storage::v1::StoredRun> GetRun(const std::string& run) override {
    return store_->GetRun(run);
  }
  absl::Status ForEachRun(UseRun use) override { return store_->ForEachRun(use); }
  absl::Status DeleteRun(const std::string& run) override;
  absl::Status DeleteRuns(absl::Span<const std::string> runs) override;
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override;
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  absl::StatusOr<Batch> ReadOnce(const std::string& run, int64_t sequence) override;
  std::optional<CompressedBatch> ReadCompressed(const std::string& run, int64_t sequence) override;
  bool keeps_compressed() const override { return true; }
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override;
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override;
  absl::Status Trim(const std::string& run, int64_t first) override;
  absl::Status Checkpoint(const std::string& directory) override;
  absl::Status CheckHealth() override { return store_->CheckHealth(); }

  // Moves everything that waits to the database. What that refuses stays, until the next time; the
  // first refusal is returned. `progressed` is called after each part of it that waits for the
  // disk.
  absl::Status MoveToDatabase(absl::FunctionRef<void()> progressed = [] {});

  // The database itself, for tests.
  RocksDbStore* database() { return store_.get(); }

 private:
  JournaledStore(const JournalOptions& options, bool syncs_always,
                 std::unique_ptr<RocksDbStore> store)
      : options_(options), syncs_always_(syncs_always), store_(std::move(store)) {}

  absl::StatusOr<std::shared_ptr<JournaledLog>> FindOrAdd(const std::string& run);
  std::shared_ptr<JournaledLog> Find(const std::string& run);

  absl::StatusOr<Batch> ReadBatch(const std::string& run, int64_t sequence, bool once);
  bool IsForJournal(const JournaledLog& log, absl::Span<const Batch> batches) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log.writing);
  // Of the batches of one append, of which there is one as a rule.
  using Halves = absl::InlinedVector<Journal::Half, 4>;

  std::optional<Halves> WriteToJournal(absl::Span<const Batch> batches, const JournaledLog& log)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log.writing);
  bool AppendToJournal(absl::Span<const Batch> batches, JournaledLog* log);
  absl::Status AppendToDatabase(const std::string& run, absl::Span<const Batch> batches, bool sync,
                                JournaledLog* log);
  void Release(absl::Span<const Journal::Half> halves);
  void ForgetWaiting(size_t count, JournaledLog* log) ABSL_EXCLUSIVE_LOCKS_REQUIRED(log->writing);

  // Of one log, which it has been begun for.
  struct Move {
    std::string run;
    std::shared_ptr<JournaledLog> log;
    std::vector<Batch> waiting;
  };
  absl::Status MoveSome(absl::Span<const std::string> runs, std::vector<std::string>* busy);
  absl::Status MoveOne(const std::string& run);
  absl::Status Finish(const std::vector<Move>& moves);

  const JournalOptions options_;
  const bool syncs_always_;
  std::unique_ptr<Journal> journal_;  // null only while the store is opened

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<JournaledLog>> logs_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<RocksDbStore> store_;  // last: its upkeep uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_JOURNALED_STORE_H_
