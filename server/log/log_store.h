// The interface of what keeps runs and logs, and its promises.
#ifndef JOBTAIL_SERVER_LOG_LOG_STORE_H_
#define JOBTAIL_SERVER_LOG_LOG_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "jobtail/storage/v1/stored_run.pb.h"
#include "server/log/batch.h"

namespace jobtail {

// What a log has in the store. An empty log has first 1 and last 0.
struct LogExtent {
  int64_t first = 1;  // sequence number of the oldest record that is still there
  int64_t last = 0;   // sequence number of the newest record
  int64_t bytes = 0;  // size of the encoded records that are still there
  // Of the newest record, as in its Batch.
  int64_t last_time_unix_nanos = 0;
  int64_t total_lines = 0;
  int64_t total_bytes = 0;
};

// Keeps runs and their logs. Implementations differ in what survives; each states it.
//
// All functions may be called from any thread at once, but for one log there is only one call of
// Append at a time, and none together with or after DeleteRun.
// tests/server/store/log_store_conformance.h holds the promises made here against every
// implementation.
//
// Run ids are UUIDs in their text form.
//
// Errors: NOT_FOUND for a run or record that is not there, FAILED_PRECONDITION for a hole in the
// numbering, INVALID_ARGUMENT for an id that is none; whatever else a medium comes up with is
// RESOURCE_EXHAUSTED where it is full (it may have room again later), DATA_LOSS where what it
// returns is not what was stored, and otherwise UNAVAILABLE (worth trying again).
class LogStore {
 public:
  virtual ~LogStore() = default;

  // Creates the run `run.run().id()` with an empty log, or replaces what is known of it.
  virtual absl::Status PutRun(const storage::v1::StoredRun& run) = 0;

  // The run as PutRun was last given it.
  virtual absl::StatusOr<storage::v1::StoredRun> GetRun(const std::string& run) = 0;

  // Gives `use` all runs, oldest first: for the start of a server. Takes no look at their logs, and
  // has a few runs in memory at a time. `use` may call the store; whether a run is among them that
  // comes meanwhile is open. On error some have been given.
  using UseRun = absl::FunctionRef<void(storage::v1::StoredRun)>;
  virtual absl::Status ForEachRun(UseRun use) = 0;

  // Deletes the run and its log. The room it took comes back soon afterwards, if not at once.
  virtual absl::Status DeleteRun(const std::string& run) = 0;

  // The same for some hundred runs at once, which costs a fraction of what it costs one by one. One
  // that is not there is passed over. On error some may be deleted; all may be given again.
  virtual absl::Status DeleteRuns(absl::Span<const std::string> runs) = 0;

  // Appends consecutive batches that continue the log: all of them or, on error, none. Once it
  // returns OK they can be read, and survive whatever the store promises to survive; with `sync`,
  // also what it otherwise promises only after a while.
  virtual absl::Status Append(const std::string& run, absl::Span<const Batch> batches,
                              bool sync) = 0;

  virtual absl::StatusOr<LogExtent> GetExtent(const std::string& run) = 0;

  // The batch that contains `sequence`. Where that is missing (deleted, or damaged), the first one
  // after it; NOT_FOUND if there is none.
  virtual absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) = 0;

  // The same of what nobody is likely to ask for again soon, as in a search: the store keeps
  // nothing of it in memory.
  virtual absl::StatusOr<Batch> ReadOnce(const std::string& run, int64_t sequence) {
    return Read(run, sequence);
  }

  // The batch that begins with `sequence`, compressed as the store has it and with no bytes beside
  // that, for who sends it on as it is. Nullopt where the store has it otherwise, or not at all, or
  // something is wrong: Read it then.
  struct CompressedBatch {
    int64_t last = 0;  // sequence number of its last record
    SharedBytes block;
    size_t size = 0;  // of the bytes that it stands for
  };
  virtual std::optional<CompressedBatch> ReadCompressed(const std::string& run, int64_t sequence) {
    return std::nullopt;
  }

  // Whether it keeps batches compressed: then it is given large ones so, and need not do it itself.
  virtual bool keeps_compressed() const { return false; }

  // The first batch whose last record was made at or after `unix_nanos`. NOT_FOUND if all are
  // older.
  virtual absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) = 0;

  // The sequence number from which on the log has at most `bytes` (see LogExtent), at the
  // beginning of a batch; that of the last batch if even that is larger.
  virtual absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) = 0;

  // Deletes the records before `first`, which begins a batch. There may be an Append meanwhile.
  virtual absl::Status Trim(const std::string& run, int64_t first) = 0;

  // Makes `directory`, which must not be there while its parent must, and puts into it a copy of
  // everything that had been stored when this was called, which a server can be started with; of
  // each log, what came meanwhile is there up to some record or not at all. It costs little room
  // while the store keeps what it has now: large files are shared where both are on one file
  // system. FAILED_PRECONDITION from a store that has nothing on disk, ALREADY_EXISTS, NOT_FOUND;
  // on error `directory` is not there.
  virtual absl::Status Checkpoint(const std::string& directory) = 0;

  // Whether the store would take something new at this moment: OK, or why not.
  virtual absl::Status CheckHealth() = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_STORE_H_
