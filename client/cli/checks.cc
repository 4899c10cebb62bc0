// Checks of what was typed, and the sentences for what is wrong with it.

#include "client/cli/checks.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/host_port.h"
#include "base/quoting.h"
#include "base/utf8.h"
#include "client/cli/time_format.h"

namespace jobtail::client::cli {
namespace {

std::string Named(const std::string& value) { return absl::StrCat("'", Printable(value), "'"); }

// "" for a whole number from `minimum` on.
std::string CheckWhole(const std::string& text, int64_t minimum, const char* what) {
  int64_t number;
  if (absl::SimpleAtoi(text, &number) && number >= minimum) return "";
  return absl::StrCat(Named(text), " is no ", what, "; write a whole number from ", minimum, " on");
}

}  // namespace

std::string CheckServer(const std::string& server) {
  const std::string remedy = absl::StrCat("; write HOST:PORT, for example ", kDefaultServer);
  if (absl::StrContains(server, "://")) return absl::StrCat(Named(server), " is a URL", remedy);
  if (absl::StartsWith(server, "unix:")) return "";
  if (ParseHostPort(server).has_value()) return "";
  return absl::StrCat(Named(server), " names no host and port", remedy);
}

std::string CheckParameter(const std::string& parameter) {
  const size_t equals = parameter.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::StrCat(Named(parameter), " is not a parameter; write name=value or name=@file");
  }
  if (IsUtf8(parameter)) return "";
  return absl::StrCat(Named(parameter), " is not UTF-8; pass such bytes in a file of their own and",
                      " give the job its name");
}

std::string CheckSince(const std::string& since) {
  if (ParseSince(since, absl::Now()).has_value()) return "";
  return absl::StrCat(Named(since), " is no time; write how long ago, as 10m or 1h30m, ",
                      "or a time, as 2024-05-06T07:08:09Z");
}

std::string CheckDuration(const std::string& text) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration()) return "";
  return absl::StrCat(Named(text), " is no duration; write 30s, 5m, or inf for ever");
}

std::string CheckState(const std::string& text) {
  if (ParseState(text) != v1::RUN_STATE_UNSPECIFIED) return "";
  return absl::StrCat(Named(text), " is no state; there are pending, running, ",
                      "succeeded, failed, cancelled, timed_out and lost");
}

std::string CheckFormat(const std::string& text) {
  if (text == "text" || text == "json" || text == "raw") return "";
  return absl::StrCat(Named(text), " is no format; there are text, json and raw");
}

std::string CheckListFormat(const std::string& text) {
  if (text == "text" || text == "json") return "";
  return absl::StrCat(Named(text), " is no format here; there are text and json");
}

std::string CheckColor(const std::string& text) {
  if (text == "auto" || text == "always" || text == "never") return "";
  return absl::StrCat(Named(text), " is no choice; there are auto, always and never");
}

std::string CheckBool(const std::string& text) {
  if (text == "true" || text == "false") return "";
  return absl::StrCat(Named(text), " is neither true nor false");
}

std::string CheckLineNumber(const std::string& text) { return CheckWhole(text, 1, "line number"); }

std::string CheckCount(const std::string& text) { return CheckWhole(text, 0, "number"); }

std::string CheckPattern(const std::string& text) {
  return IsUtf8(text) ? "" : absl::StrCat(Named(text), " is not UTF-8; write \\xNN for a byte");
}

v1::RunState ParseState(const std::string& text) {
  v1::RunState state = v1::RUN_STATE_UNSPECIFIED;
  v1::RunState_Parse(absl::StrCat("RUN_STATE_", absl::AsciiStrToUpper(text)), &state);
  return state;
}

OutputFormat ParseFormat(const std::string& text) {
  if (text == "json") return OutputFormat::kJson;
  return text == "raw" ? OutputFormat::kRaw : OutputFormat::kText;
}

Color ParseColor(const std::string& text) {
  if (text == "always") return Color::kAlways;
  return text == "never" ? Color::kNever : Color::kAuto;
}

int64_t ParseNumber(const std::string& text) {
  int64_t number = 0;
  (void)absl::SimpleAtoi(text, &number);
  return number;
}

}  // namespace jobtail::client::cli
