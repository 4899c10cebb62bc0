// Times and durations as people read and type them.
#ifndef JOBTAIL_CLIENT_CLI_TIME_FORMAT_H_
#define JOBTAIL_CLIENT_CLI_TIME_FORMAT_H_

#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace jobtail::client::cli {

// "2024-05-06 07:08:09" in the local time zone.
std::string LocalTime(const google::protobuf::Timestamp& timestamp);

// A duration at a glance: "0.12s", "12.3s", "3m12s", "2h03m", "4d05h".
std::string ShortDuration(absl::Duration duration);

// Reads a point in time: a duration before `now` ("10m", "1h30m") or RFC 3339.
std::optional<absl::Time> ParseSince(absl::string_view text, absl::Time now);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TIME_FORMAT_H_
