#ifndef JOBTAIL_CLIENT_CLI_TIME_FORMAT_H_
#define JOBTAIL_CLIENT_CLI_TIME_FORMAT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace jobtail::client::cli {

// Whether the time is one that protobuf allows: in the years 1 to 9999.
bool IsValid(const google::protobuf::Timestamp& timestamp);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp FromTime(absl::Time time);
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// Writes RFC 3339 times in UTC, fast for times that go forward: the part down to the second is kept
// from one call to the next. Not thread-safe.
class TimeFormatter {
 public:
  // "2024-05-06T07:08:09.123Z": `digits` of the second's fraction, cut off, not rounded.
  void Append(const google::protobuf::Timestamp& timestamp, int digits, std::string* text);

  // As protobuf's JSON: with 0, 3, 6 or 9 digits, as many as are needed.
  void AppendShortest(const google::protobuf::Timestamp& timestamp, std::string* text);

 private:
  int64_t second_ = INT64_MIN;
  std::string prefix_;  // of second_
};

// "2024-05-06 07:08:09" in the local time zone.
std::string LocalTime(const google::protobuf::Timestamp& timestamp);

// A duration at a glance: "0.12s", "12.3s", "3m12s", "2h03m", "4d05h".
std::string ShortDuration(absl::Duration duration);

// Reads a point in time: a duration before `now` ("10m", "1h30m") or RFC 3339.
std::optional<absl::Time> ParseSince(absl::string_view text, absl::Time now);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TIME_FORMAT_H_
