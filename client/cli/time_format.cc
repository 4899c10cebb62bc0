// Times and durations at a glance, and as people type them.

#include "client/cli/time_format.h"

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "base/codec/proto_time.h"

namespace jobtail::client::cli {

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
  if (time < absl::FromUnixSeconds(kMinTimestampSeconds) ||
      time >= absl::FromUnixSeconds(kMaxTimestampSeconds)) {
    return std::nullopt;
  }
  return time;
}

}  // namespace jobtail::client::cli
