// The makers of records that are not lines, and parts of a batch.
#ifndef JOBTAIL_SERVER_LOG_RECORD_H_
#define JOBTAIL_SERVER_LOG_RECORD_H_

#include <cstdint>

#include "base/codec/log_line.h"
#include "base/codec/proto_time.h"
#include "jobtail/v1/log.pb.h"
#include "server/log/batch.h"

namespace jobtail {

// Records that are not text. Times are in Unix nanoseconds.

v1::LogLine GapRecord(int64_t first, int64_t last, v1::GapReason reason, int64_t time_unix_nanos);
v1::LogLine ResultRecord(int64_t sequence, const v1::RunResult& result, int64_t time_unix_nanos);

// The records of the batch from `first` to `last`. A gap is one record, with the number of its
// last; one that goes beyond `last` is cut there.
Slice PartOf(const Batch& batch, int64_t first, int64_t last);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_RECORD_H_
