#ifndef JOBTAIL_SERVER_LOG_BATCH_H_
#define JOBTAIL_SERVER_LOG_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace jobtail {

// Encoded records, never changed once shared: the store, the tail of the log and the transport of
// every reader refer to the same bytes.
using SharedBytes = std::shared_ptr<const std::string>;

// Consecutive records of one log in their stored form, the encoding of a jobtail.v1.LogBatch.
struct Batch {
  int64_t first = 0;                 // sequence number of the first record
  int64_t last = 0;                  // sequence number of the last record, inclusive
  int64_t last_time_unix_nanos = 0;  // time of the last record; times never decrease within a log
  SharedBytes bytes;
};

// A part of an encoded LogBatch: whole elements of its field `lines`, one after the other, each
// with its tag.
struct Slice {
  SharedBytes buffer;
  size_t offset = 0;
  size_t size = 0;

  std::string_view view() const { return std::string_view(*buffer).substr(offset, size); }
};

// A record may have 64 KiB of text. A batch is closed as soon as it has this many bytes, so that
// one never exceeds about twice that, far under gRPC's default limit of 4 MiB for a message.
inline constexpr size_t kBatchBytes = 64 << 10;

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BATCH_H_
