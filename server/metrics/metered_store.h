// A store that counts what goes into it.
#ifndef JOBTAIL_SERVER_METRICS_METERED_STORE_H_
#define JOBTAIL_SERVER_METRICS_METERED_STORE_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
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
// microseconds, which a line that comes alone would have to wait for. Batches know their totals;
// only one with something else than lines is looked into, and nobody waits for that but its run.
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
  absl::StatusOr<Batch> ReadOnce(const std::string& run, int64_t sequence) override;
  // Damage is counted by the Read that follows.
  std::optional<CompressedBatch> ReadCompressed(const std::string& run, int64_t sequence) override {
    return store_->ReadCompressed(run, sequence);
  }
  bool keeps_compressed() const override { return store_->keeps_compressed(); }
  absl::StatusOr<Batch> FindTime(const std::string& run, int64_t unix_nanos) override {
    return store_->FindTime(run, unix_nanos);
  }
  absl::StatusOr<int64_t> FindBytes(const std::string& run, int64_t bytes) override {
    return store_->FindBytes(run, bytes);
  }
  absl::Status Trim(const std::string& run, int64_t first) override {
    return store_->Trim(run, first);
  }
  absl::Status Checkpoint(const std::string& directory) override {
    return store_->Checkpoint(directory);
  }
  absl::Status CheckHealth() override { return store_->CheckHealth(); }

  // Brings the registry's figures up to date.
  void Publish();

 private:
  struct Printed {
    int64_t lines = 0;
    int64_t bytes = 0;
  };

  // What has come since the last Publish, of all runs: without a lock, on the way of every line.
  struct Tally {
    explicit Tally(size_t buckets) : commits(buckets) {}

    std::atomic<int64_t> lines = 0;
    std::atomic<int64_t> printed_bytes = 0;
    std::atomic<int64_t> batches = 0;
    std::atomic<int64_t> stored_bytes = 0;
    std::atomic<int64_t> commit_nanos = 0;
    // By bucket of the histogram, and those beyond the last.
    std::vector<std::atomic<int64_t>> commits;
  };

  // What the runs that are at work have printed, up to their last batch: a part of the runs, so
  // that two that print at the same time hardly ever meet.
  struct alignas(64) Shard {
    absl::Mutex mutex;
    absl::flat_hash_map<std::string, Printed> printed ABSL_GUARDED_BY(mutex);
  };

  void Time(absl::Duration took);
  void Count(const Batch& batch, const Printed& printed);
  void CountGaps(const Batch& batch);
  std::vector<Printed> Since(const std::string& run, absl::Span<const Batch> batches);
  Shard& ShardOf(const std::string& run);
  void Forget(const std::string& run);
  absl::StatusOr<Batch> CountDamage(const std::string& run, int64_t sequence,
                                    absl::StatusOr<Batch> batch);
  bool IsDamaged(const std::string& run, int64_t sequence, const absl::StatusOr<Batch>& read);
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

  Tally tally_;
  std::array<Shard, 16> shards_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_METRICS_METERED_STORE_H_
