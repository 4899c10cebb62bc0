// Error messages for the person at the terminal, each with a remedy.
#ifndef JOBTAIL_CLIENT_CLI_ERROR_TEXT_H_
#define JOBTAIL_CLIENT_CLI_ERROR_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "client/cli/options.h"

namespace jobtail::client::cli {

// The same error with a message for the person at the terminal: which thing, which value, and what
// to do about it. All that comes from the server is made harmless by Printable().

// An error of any call.
absl::Status ExplainError(const CommonOptions& common, const absl::Status& status);

// An error of a call about this run.
absl::Status ExplainRunError(const CommonOptions& common, const std::string& run,
                             const absl::Status& status);

// Whether the server has understood the request and will not serve it, now or later.
bool IsRefusal(const absl::Status& status);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_ERROR_TEXT_H_
