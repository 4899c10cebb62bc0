// Tallies, and where they end up.
#include "server/metrics/metered_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "server/log/record.h"

namespace jobtail {
namespace {

prometheus::Family<prometheus::Counter>& CounterFamily(prometheus::Registry* registry,
                                                       const std::string& name,
                                                       const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
}

prometheus::Counter& Counter(prometheus::Registry* registry, const std::string& name,
                             const std::string& help) {
  return CounterFamily(registry, name, help).Add({});
}

// In seconds, from what memory takes to what a disk in trouble does.
prometheus::Histogram::BucketBoundaries LatencyBuckets() {
  return {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10};
}

}  // namespace

MeteredStore::MeteredStore(LogStore* store, prometheus::Registry* registry, Clock* clock)
    : store_(store),
      clock_(clock),
      lines_(Counter(registry, "jobtail_lines_total", "Records of text that jobs have printed.")),
      printed_bytes_(Counter(registry, "jobtail_printed_bytes_total",
                             "Bytes that jobs have printed, line ends included.")),
      batches_(Counter(registry, "jobtail_batches_total", "Batches of records stored.")),
      stored_bytes_(
          Counter(registry, "jobtail_stored_bytes_total", "Bytes of encoded records stored.")),
      missing_(CounterFamily(registry, "jobtail_missing_records_total",
                             "Records that a gap stands for, by its reason.")),
      failures_(CounterFamily(registry, "jobtail_store_failures_total",
                              "Writes that the store has refused, by the error's code.")),
      damaged_(Counter(registry, "jobtail_damaged_reads_total",
                       "Reads of records that are damaged or missing on the disk.")),
      latency_(prometheus::BuildHistogram()
                   .Name("jobtail_commit_seconds")
                   .Help("How long the store takes to take batches.")
                   .Register(*registry)
                   .Add({}, LatencyBuckets())),
      tally_(LatencyBuckets().size() + 1) {
  // Whoever watches these wants to see the step from nothing to the first.
  for (const v1::GapReason reason : {v1::GAP_REASON_DROPPED, v1::GAP_REASON_STORE_FULL}) {
    missing_.Add({{"reason", v1::GapReason_Name(reason)}});
  }
  for (const auto code : {absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable}) {
    failures_.Add({{"code", absl::StatusCodeToString(code)}});
  }
}

absl::Status MeteredStore::PutRun(const storage::v1::StoredRun& run) {
  absl::Status status = store_->PutRun(run);
  CountFailure(status);
  if (run.run().has_result()) Forget(run.run().id());  // nothing comes after it
  return status;
}

absl::Status MeteredStore::DeleteRun(const std::string& run) {
  absl::Status status = store_->DeleteRun(run);
  Forget(run);
  return status;
}

absl::Status MeteredStore::DeleteRuns(absl::Span<const std::string> runs) {
  absl::Status status = store_->DeleteRuns(runs);
  for (const std::string& run : runs) Forget(run);
  return status;
}

absl::Status MeteredStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                  bool sync) {
  const absl::Duration begin = clock_->Steady();
  absl::Status status = store_->Append(run, batches, sync);
  Time(clock_->Steady() - begin);
  CountFailure(status);
  if (!status.ok()) return status;
  const std::vector<Printed> printed = Since(run, batches);
  for (size_t i = 0; i < batches.size(); ++i) Count(batches[i], printed[i]);
  return status;
}

absl::StatusOr<Batch> MeteredStore::Read(const std::string& run, int64_t sequence) {
  return CountDamage(run, sequence, store_->Read(run, sequence));
}

absl::StatusOr<Batch> MeteredStore::ReadOnce(const std::string& run, int64_t sequence) {
  return CountDamage(run, sequence, store_->ReadOnce(run, sequence));
}

absl::StatusOr<Batch> MeteredStore::CountDamage(const std::string& run, int64_t sequence,
                                                absl::StatusOr<Batch> batch) {
  if (IsDamaged(run, sequence, batch)) damaged_.Increment();
  return batch;
}

// A store passes over what it cannot read, as over what was deleted: only that is outside the log.
bool MeteredStore::IsDamaged(const std::string& run, int64_t sequence,
                             const absl::StatusOr<Batch>& read) {
  if (absl::IsDataLoss(read.status())) return true;
  const bool is_missing = read.ok() ? read->first > sequence : absl::IsNotFound(read.status());
  if (!is_missing) return false;
  const absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
  return extent.ok() && sequence >= extent->first && sequence <= extent->last;
}

void MeteredStore::CountFailure(const absl::Status& status) {
  if (!status.ok()) failures_.Add({{"code", absl::StatusCodeToString(status.code())}}).Increment();
}

void MeteredStore::Time(absl::Duration took) {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries(LatencyBuckets());
  tally_.commit_nanos += absl::ToInt64Nanoseconds(took);
  ++tally_
        .commits[std::ranges::lower_bound(buckets, absl::ToDoubleSeconds(took)) - buckets.begin()];
}

void MeteredStore::Count(const Batch& batch, const Printed& printed) {
  ++tally_.batches;
  tally_.stored_bytes += static_cast<int64_t>(batch.bytes->size());
  tally_.lines += printed.lines;
  tally_.printed_bytes += printed.bytes;
  // Where each number is a line's there is no gap: no need to look at every record.
  if (printed.lines != batch.last - batch.first + 1) CountGaps(batch);
}

void MeteredStore::Publish() {
  const auto take = [](std::atomic<int64_t>& figure) {
    return static_cast<double>(figure.exchange(0));
  };
  lines_.Increment(take(tally_.lines));
  printed_bytes_.Increment(take(tally_.printed_bytes));
  batches_.Increment(take(tally_.batches));
  stored_bytes_.Increment(take(tally_.stored_bytes));
  std::vector<double> commits;
  for (std::atomic<int64_t>& bucket : tally_.commits) commits.push_back(take(bucket));
  latency_.ObserveMultiple(commits, take(tally_.commit_nanos) / 1e9);
}

// What the run has printed with each batch since the one before.
std::vector<MeteredStore::Printed> MeteredStore::Since(const std::string& run,
                                                       absl::Span<const Batch> batches) {
  std::vector<Printed> printed;
  printed.reserve(batches.size());
  Shard& shard = ShardOf(run);
  absl::MutexLock lock(&shard.mutex);
  for (const Batch& batch : batches) {
    const Printed now{batch.total_lines, batch.total_bytes};
    const auto [known, is_new] = shard.printed.try_emplace(run);
    const Printed before = std::exchange(known->second, now);
    // Of a run that another server had at work, only what comes from now on counts.
    const bool counts = !is_new || batch.first == 1;
    printed.push_back(counts ? Printed{now.lines - before.lines, now.bytes - before.bytes}
                             : Printed());
  }
  return printed;
}

MeteredStore::Shard& MeteredStore::ShardOf(const std::string& run) {
  return shards_[std::hash<std::string>()(run) % shards_.size()];
}

void MeteredStore::CountGaps(const Batch& batch) {
  RecordWalker walker(*batch.bytes);
  while (walker.Next()) {
    v1::LogLine line;
    const std::string_view payload = walker.payload();
    if (!line.ParseFromArray(payload.data(), static_cast<int>(payload.size())) || !line.has_gap()) {
      continue;
    }
    missing_.Add({{"reason", v1::GapReason_Name(line.gap().reason())}})
        .Increment(static_cast<double>(line.gap().last() - line.gap().first() + 1));
  }
}

void MeteredStore::Forget(const std::string& run) {
  Shard& shard = ShardOf(run);
  absl::MutexLock lock(&shard.mutex);
  shard.printed.erase(run);
}

}  // namespace jobtail
