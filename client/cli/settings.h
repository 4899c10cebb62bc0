// The defaults of options, from the config file and the environment.
#ifndef JOBTAIL_CLIENT_CLI_SETTINGS_H_
#define JOBTAIL_CLIENT_CLI_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/grammar.h"

namespace jobtail::client::cli {

// Sets what the config file and the environment say, as the values that a command line which says
// nothing has. Returns the server that is meant then, or what is wrong with which line, and how to
// mend it; `raw` may then be set in part.
absl::StatusOr<std::string> ApplySettings(RawOptions* raw);

// Which server is meant, once the command line has been read: that of `raw->context`, unless
// --server was given. What is wrong with that, and how to mend it; "" if nothing is.
std::string ChooseServer(bool server_given, bool context_given, RawOptions* raw);

// What is wrong with options that are right each for itself; "" if nothing is.
std::string CheckTail(const RawOptions& raw);
std::string CheckParameters(const std::vector<std::string>& parameters);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_SETTINGS_H_
