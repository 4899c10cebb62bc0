// Records that are not text.

#include "server/log/record.h"

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

Slice PartOf(const Batch& batch, int64_t first, int64_t last) {
  if (batch.first >= first && batch.last <= last) return {batch.bytes, 0, batch.bytes->size()};
  RecordWalker walker(*batch.bytes);
  Slice part{batch.bytes, 0, 0};
  while (walker.Next()) {
    const int64_t sequence = SequenceOf(walker.payload());
    if (sequence > last) break;
    (sequence < first ? part.offset : part.size) += walker.element().size();
  }
  return part;
}

}  // namespace jobtail
