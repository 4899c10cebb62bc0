// The values of NAME=VALUE arguments, among them those read from files.
#ifndef JOBTAIL_CLIENT_CLI_PARAMETERS_H_
#define JOBTAIL_CLIENT_CLI_PARAMETERS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace jobtail::client::cli {

// The values that a command line means. "@FILE" is the text of a file, "@-" that of stdin, each
// without the newline at its end if it has one; "@@TEXT" is "@TEXT"; all else stands for itself.
// INVALID_ARGUMENT, with a message for people, for a file that cannot be read, is larger than
// a run's parameters may be, or is not UTF-8.
absl::StatusOr<std::map<std::string, std::string>> ReadParameters(
    const std::map<std::string, std::string>& typed);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_PARAMETERS_H_
