// The store in memory.
#ifndef JOBTAIL_SERVER_STORE_MEMORY_STORE_H_
#define JOBTAIL_SERVER_STORE_MEMORY_STORE_H_

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/log/log_store.h"

namespace jobtail {

// Keeps everything in memory, without limit, until it is deleted. Nothing of it is left
// once the process ends. Thread-safe.
class MemoryStore : public LogStore {
 public:
  absl::Status PutRun(const storage::v1::StoredRun& run) override;
  absl::StatusOr<storage::v1::StoredRun> GetRun(const std::string& run) override;
  absl::Status ForEachRun(UseRun use) override;
  absl::Status DeleteRun(const std::string& run) override;
  absl::Status DeleteRuns(absl::Span<const std::string> runs) override;
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override;
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override;
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override;
  absl::Status Trim(const std::string& run, int64_t first) override;
  absl::Status Checkpoint(const std::string& directory) override;
  absl::Status CheckHealth() override { return absl::OkStatus(); }

 private:
  struct Entry {
    absl::Mutex mutex;
    storage::v1::StoredRun run ABSL_GUARDED_BY(mutex);
    std::deque<Batch> batches ABSL_GUARDED_BY(mutex);  // consecutive
    int64_t bytes ABSL_GUARDED_BY(mutex) = 0;
  };

  absl::StatusOr<std::shared_ptr<Entry>> Find(const std::string& run) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_MEMORY_STORE_H_
