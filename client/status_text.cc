// gRPC's messages, cut to what tells a person something.

#include "client/status_text.h"

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace jobtail::client {

std::string StatusText(const absl::Status& status) {
  absl::string_view text = status.message();
  if (absl::StrContains(text, "failed to connect to all addresses") ||
      absl::StrContains(text, "DNS resolution failed")) {
    const size_t last = text.rfind(": ");
    if (last != absl::string_view::npos) text.remove_prefix(last + 2);
  }
  if (text.empty()) return absl::StatusCodeToString(status.code());
  return std::string{text};
}

}  // namespace jobtail::client
