// The check that no page token comes twice.

#include "client/page_tokens.h"

namespace jobtail::client {
namespace {

// In a row. A filter that few runs pass may leave some.
constexpr int kMaxEmptyPages = 1000;

}  // namespace

absl::Status PageTokens::Note(const std::string& token, int entries) {
  if (token.empty()) return absl::OkStatus();
  empty_pages_ = entries > 0 ? 0 : empty_pages_ + 1;
  if (empty_pages_ > kMaxEmptyPages) {
    return absl::DataLossError("the server's list has no end: its pages are empty");
  }
  if (tokens_.insert(token).second) return absl::OkStatus();
  return absl::DataLossError(
      "the server's list has no end: it names a page again that it has already sent");
}

}  // namespace jobtail::client
