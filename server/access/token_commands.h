// The command line's way to make, list and revoke tokens.
#ifndef JOBTAIL_SERVER_ACCESS_TOKEN_COMMANDS_H_
#define JOBTAIL_SERVER_ACCESS_TOKEN_COMMANDS_H_

#include <CLI/CLI.hpp>

namespace jobtail::access {

// Adds the command `token`, with `create`, `list` and `revoke`, to a server program's flags.
// Parsing one of them does it, and throws CLI::RuntimeError with the exit code, as CLI11 wants that
// said. To be called once.
void AddTokenCommands(CLI::App* flags);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_TOKEN_COMMANDS_H_
