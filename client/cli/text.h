#ifndef JOBTAIL_CLIENT_CLI_TEXT_H_
#define JOBTAIL_CLIENT_CLI_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace jobtail::client::cli {

// `text` as it may be shown on a terminal: what could move the cursor, change its colours or turn
// the direction of writing comes out as "\n", "\x1b", "\u202e", and bytes that are not UTF-8 as
// "\xff". For names and messages that come from elsewhere; a job's own lines are passed as they
// are.
std::string Printable(absl::string_view text);

// The number of characters of `text`, which is UTF-8.
size_t Width(absl::string_view text);

// `text`, which is UTF-8, if it has no more than this many characters, else its beginning with "…".
std::string Fitted(const std::string& text, size_t columns);

// `text` as one word of a shell's command line: in quotes only where it has to be.
std::string ShellQuoted(absl::string_view text);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TEXT_H_
