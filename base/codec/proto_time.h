// Conversions between protobuf's times and Abseil's, and a quick RFC 3339 formatter.
#ifndef JOBTAIL_BASE_CODEC_PROTO_TIME_H_
#define JOBTAIL_BASE_CODEC_PROTO_TIME_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"

namespace jobtail {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;

// Protobuf's times and durations as ours, and back. No conversion overflows: what is too far away
// becomes the nearest that can be told, so that the order of times is kept.

// What protobuf allows: the years 1 to 9999, and 10,000 years either way.
inline constexpr int64_t kMinTimestampSeconds = -62'135'596'800;
inline constexpr int64_t kMaxTimestampSeconds = 253'402'300'799;
inline constexpr int64_t kMaxDurationSeconds = 315'576'000'000;

bool IsValid(const google::protobuf::Timestamp& timestamp);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToTimestamp(absl::Time time);

// In nanoseconds since 1970, which reach from 1677 to 2262.
int64_t ToUnixNanos(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp FromUnixNanos(int64_t unix_nanos);

absl::Duration ToDuration(const google::protobuf::Duration& duration);
google::protobuf::Duration ToProtoDuration(absl::Duration duration);

// Writes RFC 3339 times in UTC, fast for times that go forward: the part down to the second is kept
// from one call to the next. Not thread-safe.
class TimeFormatter {
 public:
  // "2024-05-06T07:08:09.123Z": `digits` of the second's fraction, cut off, not rounded.
  void Append(const google::protobuf::Timestamp& timestamp, int digits, std::string* text);

  // As protobuf's JSON: with 0, 3, 6 or 9 digits, as many as are needed.
  void AppendShortest(const google::protobuf::Timestamp& timestamp, std::string* text);

 private:
  int64_t second_ = std::numeric_limits<int64_t>::min();
  std::string prefix_;  // of second_
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CODEC_PROTO_TIME_H_
