// The sentence about a wrong command line, in place of CLI11's own.
#ifndef JOBTAIL_CLIENT_CLI_USAGE_ERROR_H_
#define JOBTAIL_CLIENT_CLI_USAGE_ERROR_H_

#include <string>
#include <vector>

#include "client/cli/grammar.h"

namespace jobtail::client::cli {

// A sentence about a command line that CLI11 did not accept: which option or word, what is wrong
// with it, and what would be right.
std::string DescribeUsageError(const Grammar& grammar, const CLI::Error& error,
                               const std::vector<std::string>& arguments);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_USAGE_ERROR_H_
