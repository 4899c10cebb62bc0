// The check that no page token comes twice.

#include "client/page_tokens.h"

namespace jobtail::client {

absl::Status PageTokens::Note(const std::string& token) {
  if (token.empty() || tokens_.insert(token).second) return absl::OkStatus();
  return absl::DataLossError(
      "the server's list has no end: it names a page again that it has already sent");
}

}  // namespace jobtail::client
