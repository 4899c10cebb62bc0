// Appends to logs in the database, and deletes from them.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_LOG_WRITER_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_LOG_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "server/log/batch.h"
#include "server/store/rocksdb_damage_reports.h"
#include "server/store/rocksdb_database.h"
#include "server/store/rocksdb_reclaimer.h"
#include "server/store/rocksdb_reopenable.h"
#include "server/store/rocksdb_write_gate.h"
#include "server/store/store_keys.h"

namespace rocksdb {
class WriteBatch;
}  // namespace rocksdb

namespace jobtail {

// Knows where each log ends that is at work, and continues it there. What Append is
// given goes into the database as one write; RocksDB joins the writes of several runs that come at
// the same time. An append that has failed may have left batches all the same (see WriteGate):
// nobody is told of them, and the next append takes their place.
//
// A store owns it; what the constructor is given outlives it. Thread-safe; errors as LogStore's.
class RocksDbLogWriter {
 public:
  RocksDbLogWriter(const ReopenableDatabase* database, WriteGate* gate, Reclaimer* reclaimer,
                   DamageReports* damage)
      : database_(database), gate_(gate), reclaimer_(reclaimer), damage_(damage) {}

  // As LogStore::Append; `is_promised`: also while the disk is nearly full.
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync,
                      bool is_promised);

  // What is to be appended to one log, and what became of that.
  struct Addition {
    std::string run;
    std::vector<Batch> batches;
    absl::Status result;
  };
  // Appends to several logs with one write, and one sync, as Append does while the disk is nearly
  // full; sets each `result`. No run is in it twice, and no more than kMostAtOnce are.
  void AppendAll(absl::Span<Addition> additions);
  static constexpr size_t kMostAtOnce = 32;

  // The end of the log: an entry whose `last` is 0 where it is empty. NOT_FOUND if there is no such
  // run.
  absl::StatusOr<IndexEntry> Newest(const std::string& run);

  // Deletes the batches that begin before `first`.
  absl::Status Trim(const std::string& run, int64_t first);

  // Deletes the run with all of its log.
  absl::Status DeleteRun(const std::string& run);
  // Deletes all of these that are there, in one write.
  absl::Status DeleteRuns(absl::Span<const std::string> runs);

 private:
  // The end of one log.
  struct Head {
    IndexEntry Newest() ABSL_LOCKS_EXCLUDED(mutex) {
      absl::MutexLock lock(&mutex);
      return newest;
    }
    // What an append to it has come to, by whoever holds `appending`.
    void Appended(const absl::Status& written, const IndexEntry& end)
        ABSL_EXCLUSIVE_LOCKS_REQUIRED(appending) ABSL_LOCKS_EXCLUDED(mutex);

    // Held while something is written and synced; of several heads, in the order of their runs'
    // ids.
    absl::Mutex appending;
    bool may_have_more ABSL_GUARDED_BY(appending) = false;  // in the database: an append has failed

    // For moments: whoever asks for the end waits for no disk.
    absl::Mutex mutex ABSL_ACQUIRED_AFTER(appending);
    IndexEntry newest ABSL_GUARDED_BY(mutex);
  };
  struct Deletion {
    Reclaimer::Range range;         // of keys in which everything is deleted
    std::vector<std::string> keys;  // of the batches, unless it is done as a range
    int64_t bytes = 0;
    bool as_range = false;
  };

  absl::StatusOr<std::shared_ptr<Head>> ReadHead(const std::string& run,
                                                 std::string_view run_key) const;
  absl::StatusOr<std::shared_ptr<Head>> FindHead(const std::string& run, std::string_view run_key);
  std::shared_ptr<Head> KnownHead(const std::string& run);
  absl::StatusOr<IndexEntry> AddTo(const Database* database, const std::string& run,
                                   std::string_view run_key, absl::Span<const Batch> batches,
                                   Head* head, rocksdb::WriteBatch* write) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(head->appending);
  void ForgetHeads(absl::Span<const std::string> runs);
  Deletion PlanDeletion(const Database* database, std::string_view run_key, int64_t before) const;
  absl::Status Delete(const Database* database, std::vector<Deletion> plans,
                      rocksdb::WriteBatch* write);

  const ReopenableDatabase* const database_;
  WriteGate* const gate_;
  Reclaimer* const reclaimer_;
  DamageReports* const damage_;

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Head>> heads_ ABSL_GUARDED_BY(mutex_);
  int64_t forgotten_ ABSL_GUARDED_BY(mutex_) = 0;  // how often heads were, so far
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_LOG_WRITER_H_
