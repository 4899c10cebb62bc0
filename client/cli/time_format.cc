#include "client/cli/time_format.h"

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace jobtail::client::cli {
namespace {

// The years 1 to 9999: what a protobuf timestamp may be.
constexpr int64_t kFirstSecond = -62135596800;
constexpr int64_t kLastSecond = 253402300799;

}  // namespace

bool IsValid(const google::protobuf::Timestamp& timestamp) {
  return timestamp.seconds() >= kFirstSecond && timestamp.seconds() <= kLastSecond &&
         timestamp.nanos() >= 0 && timestamp.nanos() < 1'000'000'000;
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

google::protobuf::Timestamp FromTime(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
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
  Append(timestamp, nanos == 0 ? 0 : nanos % 1'000'000 == 0 ? 3 : nanos % 1'000 == 0 ? 6 : 9, text);
}

std::string LocalTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", ToTime(timestamp), absl::LocalTimeZone());
}

std::string ShortDuration(absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 9.995) return absl::StrFormat("%.2fs", seconds < 0 ? 0 : seconds);
  if (seconds < 59.95) return absl::StrFormat("%.1fs", seconds);
  const int64_t whole = absl::ToInt64Seconds(duration + absl::Milliseconds(500));
  if (whole < 3600) return absl::StrFormat("%dm%02ds", whole / 60, whole % 60);
  if (whole < 86400) return absl::StrFormat("%dh%02dm", whole / 3600, whole / 60 % 60);
  return absl::StrFormat("%dd%02dh", whole / 86400, whole / 3600 % 24);
}

std::optional<absl::Time> ParseSince(absl::string_view text, absl::Time now) {
  absl::Time time;
  std::string error;
  absl::Duration before;
  if (absl::ParseDuration(text, &before)) {
    if (before < absl::ZeroDuration()) return std::nullopt;
    time = now - before;
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return std::nullopt;
  }
  if (time < absl::FromUnixSeconds(kFirstSecond) || time >= absl::FromUnixSeconds(kLastSecond)) {
    return std::nullopt;
  }
  return time;
}

}  // namespace jobtail::client::cli
