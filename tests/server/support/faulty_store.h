// A store that blocks and fails when a test says so.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_FAULTY_STORE_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_FAULTY_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/log/log_store.h"

namespace jobtail::testing {

// A store before another one, which blocks, fails and counts calls as a test wants it. Thread-safe.
// It must not be blocked when it is destroyed.
class FaultyStore : public LogStore {
 public:
  enum class Call {
    kPutRun,
    kGetRun,
    kForEachRun,
    kDeleteRun,
    kDeleteRuns,
    kAppend,
    kGetExtent,
    kRead,
    kReadCompressed,  // that fails has nothing compressed, whatever the error
    kFindTime,
    kFindBytes,
    kTrim,
    kCheckHealth
  };

  // `store` does the work and outlives this one.
  explicit FaultyStore(LogStore* store) : store_(store) {}

  // Calls for `run` (empty: for any; of DeleteRuns, the first) wait from now on, before they do
  // anything; beside those for runs that were given before.
  void Block(Call call, const std::string& run = "");
  void Unblock(Call call);
  // Waits until so many calls are waiting.
  void AwaitBlocked(Call call, int calls = 1);

  // The next `times` calls do nothing and return `error`.
  void Fail(Call call, const absl::Status& error, int times);
  void Mend(Call call) { Fail(call, absl::OkStatus(), 0); }

  // The next Read returns this.
  void ReplaceNextRead(const Batch& batch);

  // Records `first` to `last` of every log, which are whole batches, cannot be read any more.
  void Damage(int64_t first, int64_t last);

  // The next call does its work and then calls `function` before it returns.
  void AfterNext(Call call, std::function<void()> function);

  // How many calls have begun, those that failed included.
  int64_t count(Call call) const;
  void AwaitCount(Call call, int64_t count) const;
  // How many batches each Append brought that the store took, and what it asked for.
  struct Appended {
    size_t batches;
    bool sync;
  };
  std::vector<Appended> appended() const;

  absl::Status PutRun(const storage::v1::StoredRun& run) override;
  absl::StatusOr<storage::v1::StoredRun> GetRun(const std::string& run) override;
  absl::Status ForEachRun(UseRun use) override;
  absl::Status DeleteRun(const std::string& run) override;
  absl::Status DeleteRuns(absl::Span<const std::string> runs) override;
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override;
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  std::optional<CompressedBatch> ReadCompressed(const std::string& run, int64_t sequence) override;
  bool keeps_compressed() const override { return store_->keeps_compressed(); }
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override;
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override;
  absl::Status Trim(const std::string& run, int64_t first) override;
  absl::Status Checkpoint(const std::string& directory) override {
    return store_->Checkpoint(directory);
  }
  absl::Status CheckHealth() override;

 private:
  struct Fault {
    bool blocks_all = false;
    std::set<std::string> blocked_runs;
    int waiting = 0;
    absl::Status error;
    int failures = 0;
    std::function<void()> after;
    int64_t count = 0;

    bool Blocks(const std::string& run) const { return blocks_all || blocked_runs.contains(run); }
  };

  absl::Status Before(Call call, const std::string& run);
  void After(Call call);
  std::optional<Batch> TakeReplacement();
  int64_t BehindDamage(int64_t sequence) const;

  LogStore* const store_;

  mutable absl::Mutex mutex_;
  std::map<Call, Fault> faults_ ABSL_GUARDED_BY(mutex_);
  std::vector<Appended> appended_ ABSL_GUARDED_BY(mutex_);
  std::optional<Batch> replacement_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, int64_t> damage_ ABSL_GUARDED_BY(mutex_);  // its first record, and its last
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_FAULTY_STORE_H_
