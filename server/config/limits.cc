// Sizes, numbers and a duration.
#include "server/config/limits.h"

#include <cstdint>
#include <limits>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/quoting.h"
#include "re2/re2.h"

namespace jobtail::config {
namespace {

using OnError = std::function<void(const std::string&)>;

void ParseSize(const char* name, const std::string& text, const OnError& error,
               std::optional<int64_t>* limit) {
  if (text.empty()) return;
  int64_t number;
  std::string unit;
  constexpr std::string_view kUnits = "KMGT";
  if (RE2::FullMatch(text, "([0-9]{1,15})([KMGT]?)", &number, &unit) && number > 0) {
    const size_t power = unit.empty() ? 0 : kUnits.find(unit) + 1;
    if (number <= std::numeric_limits<int64_t>::max() >> (10 * power)) {
      *limit = number << (10 * power);
      return;
    }
  }
  error(absl::StrCat(name, " ", Quoted(text),
                     ": give bytes, or a number with K, M, G or T, such as \"512M\""));
}

void TakeNumber(const char* name, int number, const OnError& error, std::optional<int64_t>* limit) {
  if (number > 0) *limit = number;
  if (number < 0) {
    error(absl::StrCat(name, " ", number, ": give 1 or more, or leave it out for no limit"));
  }
}

}  // namespace

process::Limits ParseLimits(const v1::Limits& limits, const process::Limits& otherwise,
                            const OnError& error) {
  process::Limits parsed = otherwise;
  ParseSize("memory", limits.memory(), error, &parsed.memory_bytes);
  ParseSize("file_size", limits.file_size(), error, &parsed.file_bytes);
  TakeNumber("processes", limits.processes(), error, &parsed.processes);
  TakeNumber("open_files", limits.open_files(), error, &parsed.open_files);
  if (limits.cpu_time().empty()) return parsed;
  absl::Duration time;
  if (absl::ParseDuration(limits.cpu_time(), &time) && time > absl::ZeroDuration() &&
      time < absl::InfiniteDuration()) {
    parsed.cpu_time = time;
  } else {
    error(absl::StrCat("cpu_time ", Quoted(limits.cpu_time()),
                       ": give a duration with its unit, such as \"30s\" or \"1h30m\""));
  }
  return parsed;
}

}  // namespace jobtail::config
