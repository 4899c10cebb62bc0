// A store that counts what goes into it.
#ifndef JOBTAIL_SERVER_METRICS_METERED_STORE_H_
#define JOBTAIL_SERVER_METRICS_METERED_STORE_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "server/log/log_store.h"

namespace jobtail {

// Another store, with everything that goes into it counted. Keeps that store's promises.
//
// What is stored is tallied, and added to the registry's figures by Publish: those take some
// microseconds, which a line that comes alone would have to wait for.
class MeteredStore : public LogStore {
 public:
  // All outlive it.
  MeteredStore(LogStore* store, prometheus::Registry* registry, Clock* clock = Clock::System());

  absl::Status PutRun(const storage::v1::StoredRun& run) override;
  absl::StatusOr<storage::v1::StoredRun> GetRun(const std::string& run) override {
    return store_->GetRun(run);
  }
  absl::Status ForEachRun(UseRun use) override { return store_->ForEachRun(use); }
  absl::Status DeleteRun(const std::string& run) override;
  absl::Status DeleteRuns(absl::Span<const std::string> runs) override;
  absl::Status Append(const std::string& run, absl::Span<const Batch> batches, bool sync) override;
  absl::StatusOr<LogExtent> GetExtent(const std::string& run) override {
    return store_->GetExtent(run);
  }
  absl::StatusOr<Batch> Read(const std::string& run, int64_t sequence) override;
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override {
    return store_->FindTime(run, unix_nanos);
  }
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override {
    return store_->FindBytes(run, bytes);
  }
  absl::Status Trim(const std::string& run, int64_t first) override {
    return store_->Trim(run, first);
  }
  absl::Status CheckHealth() override { return store_->CheckHealth(); }

  // Brings the registry's figures up to date.
  void Publish();

 private:
  struct Printed {
    int64_t lines = 0;
    int64_t bytes = 0;
  };

  // What has come since the last Publish.
  struct Tally {
    int64_t lines = 0;
    int64_t printed_bytes = 0;
    int64_t batches = 0;
    int64_t stored_bytes = 0;
    double commit_seconds = 0;
    std::vector<double> commits;  // by bucket of the histogram, and those beyond the last
  };

  void TimeLocked(double seconds) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountLocked(const std::string& run, const Batch& batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountGaps(const Batch& batch);
  Printed SinceLocked(const std::string& run, const Batch& batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static Tally EmptyTally();
  void Forget(const std::string& run);
  void CountFailure(const absl::Status& status);

  LogStore* const store_;
  Clock* const clock_;
  prometheus::Counter& lines_;
  prometheus::Counter& printed_bytes_;
  prometheus::Counter& batches_;
  prometheus::Counter& stored_bytes_;
  prometheus::Family<prometheus::Counter>& missing_;
  prometheus::Family<prometheus::Counter>& failures_;
  prometheus::Counter& damaged_;
  prometheus::Histogram& latency_;

  absl::Mutex mutex_;
  Tally tally_ ABSL_GUARDED_BY(mutex_) = EmptyTally();
  // What the runs that are at work have printed, up to their last batch.
  absl::flat_hash_map<std::string, Printed> printed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_METRICS_METERED_STORE_H_
