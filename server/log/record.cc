// Records that are not text.

#include "server/log/record.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/codec/log_line.h"
#include "base/codec/proto_time.h"

namespace jobtail {

v1::LogLine GapRecord(int64_t first, int64_t last, v1::GapReason reason, int64_t time_unix_nanos) {
  v1::LogLine record;
  record.set_sequence(last);
  *record.mutable_time() = FromUnixNanos(time_unix_nanos);
  record.mutable_gap()->set_first(first);
  record.mutable_gap()->set_last(last);
  record.mutable_gap()->set_reason(reason);
  return record;
}

v1::LogLine ResultRecord(int64_t sequence, const v1::RunResult& result, int64_t time_unix_nanos) {
  v1::LogLine record;
  record.set_sequence(sequence);
  *record.mutable_time() = FromUnixNanos(time_unix_nanos);
  *record.mutable_result() = result;
  return record;
}

namespace {

// What a batch has from record `first` to `last` where that is within a gap: the gap's number is
// that of its last record.
Slice PartOfGap(const Batch& batch, int64_t first, int64_t last) {
  v1::LogBatch parsed;
  std::string bytes;
  if (parsed.ParseFromArray(batch.bytes->data(), static_cast<int>(batch.bytes->size()))) {
    for (const v1::LogLine& line : parsed.lines()) {
      if (!line.has_gap() || line.sequence() <= last || line.gap().first() > last) continue;
      const int64_t begin = std::max(first, line.gap().first());
      EncodeLine(GapRecord(begin, last, line.gap().reason(), ToUnixNanos(line.time())), &bytes);
    }
  }
  const size_t size = bytes.size();
  return {Share(std::move(bytes)), 0, size};
}

}  // namespace

Slice PartOf(const Batch& batch, int64_t first, int64_t last) {
  if (batch.first >= first && batch.last <= last) return {batch.bytes, 0, batch.bytes->size()};
  RecordWalker walker(*batch.bytes);
  Slice part{batch.bytes, 0, 0};
  while (walker.Next()) {
    const int64_t sequence = SequenceOf(walker.payload());
    if (sequence > last) break;
    (sequence < first ? part.offset : part.size) += walker.element().size();
  }
  return part.size > 0 ? part : PartOfGap(batch, first, last);
}

}  // namespace jobtail
