// The end of runs that had none when the server went away.
#include "server/run/lost_run.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

// The last record of the log, if it is a result. An error if it may be one, and cannot be read now:
// a log has one result, which is its end.
absl::StatusOr<std::optional<v1::LogLine>> FindResult(LogStore* store, const std::string& run,
                                                      const LogExtent& extent) {
  if (extent.last == 0) return std::nullopt;
  const absl::StatusOr<Batch> batch = store->Read(run, extent.last);
  if (absl::IsNotFound(batch.status()) || absl::IsDataLoss(batch.status())) return std::nullopt;
  if (!batch.ok()) return batch.status();
  RecordWalker walker(*batch->bytes);
  std::string_view last;
  while (walker.Next()) last = walker.payload();
  v1::LogLine record;
  if (!record.ParseFromArray(last.data(), static_cast<int>(last.size())) || !record.has_result()) {
    return std::nullopt;
  }
  return record;
}

// The run is known to have been at work until its last line, and no longer.
v1::RunResult LostResult(const v1::Run& run, const LogExtent& extent) {
  using google::protobuf::util::TimeUtil;
  v1::RunResult result;
  result.set_state(v1::RUN_STATE_LOST);
  const bool started = run.has_start_time() || extent.last > 0;
  result.set_error(
      started ? "the server went away while the job was at work; what became of it is unknown"
              : "the server went away while the run waited to be started; the job did not run");
  result.set_total_lines(extent.total_lines);
  result.set_total_bytes(extent.total_bytes);
  const auto sign_of_life = FromUnixNanos(extent.last_time_unix_nanos);
  if (run.has_start_time() && sign_of_life > run.start_time()) {
    *result.mutable_duration() = sign_of_life - run.start_time();
  }
  return result;
}

void SetResult(const v1::LogLine& record, v1::Run* run) {
  *run->mutable_result() = record.result();
  run->set_state(record.result().state());
  *run->mutable_end_time() = record.time();
  run->set_last_sequence(record.sequence());
}

absl::Status AppendResult(LogStore* store, const std::string& run, const LogExtent& extent,
                          const v1::LogLine& record) {
  std::string bytes;
  EncodeLine(record, &bytes);
  const Batch batch{record.sequence(),  record.sequence(),  ToUnixNanos(record.time()),
                    extent.total_lines, extent.total_bytes, Share(std::move(bytes))};
  return store->Append(run, {batch}, /*sync=*/true);
}

}  // namespace

absl::Status CloseLostRun(LogStore* store, absl::Time now, storage::v1::StoredRun* stored) {
  v1::Run& run = *stored->mutable_run();
  const absl::StatusOr<LogExtent> found = store->GetExtent(run.id());
  const LogExtent extent = found.ok() ? *found : LogExtent{};
  absl::Status status = found.status();
  std::optional<v1::LogLine> record;
  if (status.ok()) {
    absl::StatusOr<std::optional<v1::LogLine>> result = FindResult(store, run.id(), extent);
    if (result.ok()) {
      record = *std::move(result);
    } else {
      status = result.status();
    }
  }
  if (!record) {
    const int64_t time = std::max(absl::ToUnixNanos(now), extent.last_time_unix_nanos);
    record = ResultRecord(extent.last + 1, LostResult(run, extent), time);
    if (status.ok()) status = AppendResult(store, run.id(), extent, *record);
  }
  SetResult(*record, &run);
  if (status.ok()) status = store->PutRun(*stored);
  if (!status.ok()) run.set_last_sequence(extent.last);
  return status;
}

}  // namespace jobtail
