#ifndef JOBTAIL_CLIENT_CLI_EXPLAIN_H_
#define JOBTAIL_CLIENT_CLI_EXPLAIN_H_

#include <string>
#include <vector>

#include "client/cli/grammar.h"

namespace jobtail::client::cli {

// What CLI11 complains of, in terms of this command line: which option or word, what is wrong with
// it, and what would be right.
std::string Explain(const Grammar& grammar, const CLI::Error& error,
                    const std::vector<std::string>& arguments);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_EXPLAIN_H_
