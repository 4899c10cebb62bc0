// Conversions of time that cannot overflow, and times as text.

#include "base/codec/proto_time.h"

#include <algorithm>

namespace jobtail {

bool IsValid(const google::protobuf::Timestamp& timestamp) {
  return timestamp.seconds() >= kMinTimestampSeconds &&
         timestamp.seconds() <= kMaxTimestampSeconds && timestamp.nanos() >= 0 &&
         timestamp.nanos() < kNanosPerSecond;
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  time = std::clamp(time, absl::FromUnixSeconds(kMinTimestampSeconds),
                    absl::FromUnixSeconds(kMaxTimestampSeconds + 1) - absl::Nanoseconds(1));
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

int64_t ToUnixNanos(const google::protobuf::Timestamp& timestamp) {
  int64_t nanos;
  const bool overflows = __builtin_mul_overflow(timestamp.seconds(), kNanosPerSecond, &nanos) ||
                         __builtin_add_overflow(nanos, timestamp.nanos(), &nanos);
  if (!overflows) return nanos;
  return timestamp.seconds() < 0 ? std::numeric_limits<int64_t>::min()
                                 : std::numeric_limits<int64_t>::max();
}

google::protobuf::Timestamp FromUnixNanos(int64_t unix_nanos) {
  int64_t seconds = unix_nanos / kNanosPerSecond;
  int64_t nanos = unix_nanos % kNanosPerSecond;
  if (nanos < 0) {  // counts from 0 up, before 1970 as well
    nanos += kNanosPerSecond;
    --seconds;
  }
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(nanos));
  return timestamp;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Duration ToProtoDuration(absl::Duration duration) {
  constexpr absl::Duration kMax = absl::Seconds(kMaxDurationSeconds);
  duration = std::clamp(duration, -kMax, kMax);
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
  return proto;
}

void TimeFormatter::Append(const google::protobuf::Timestamp& timestamp, int digits,
                           std::string* text) {
  if (timestamp.seconds() != second_) {
    second_ = timestamp.seconds();
    prefix_ = absl::FormatTime("%E4Y-%m-%dT%H:%M:%S", absl::FromUnixSeconds(second_),
                               absl::UTCTimeZone());
  }
  text->append(prefix_);
  if (digits > 0) text->push_back('.');
  auto rest = static_cast<uint32_t>(timestamp.nanos());
  for (uint32_t unit = 100'000'000; digits > 0; --digits, rest %= unit, unit /= 10) {
    text->push_back(static_cast<char>('0' + rest / unit % 10));
  }
  text->push_back('Z');
}

void TimeFormatter::AppendShortest(const google::protobuf::Timestamp& timestamp,
                                   std::string* text) {
  const int32_t nanos = timestamp.nanos();
  const int digits = nanos == 0 ? 0 : nanos % 1'000'000 == 0 ? 3 : nanos % 1'000 == 0 ? 6 : 9;
  Append(timestamp, digits, text);
}

}  // namespace jobtail
