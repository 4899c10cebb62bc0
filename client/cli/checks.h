// The checks of values from the command line and the config file.
#ifndef JOBTAIL_CLIENT_CLI_CHECKS_H_
#define JOBTAIL_CLIENT_CLI_CHECKS_H_

#include <string>

#include "client/cli/options.h"

namespace jobtail::client::cli {

// Each check returns what is wrong with a value from the command line or the config file, and how
// to mend it; nothing if it is right.
std::string CheckServer(const std::string& server);
std::string CheckParameter(const std::string& parameter);
std::string CheckSince(const std::string& since);
std::string CheckDuration(const std::string& text);
std::string CheckState(const std::string& text);
std::string CheckFormat(const std::string& text);      // text, json or raw
std::string CheckListFormat(const std::string& text);  // text or json
std::string CheckColor(const std::string& text);
std::string CheckBool(const std::string& text);
std::string CheckLineNumber(const std::string& text);  // from 1 on
std::string CheckCount(const std::string& text);       // from 0 on
std::string CheckPattern(const std::string& text);

// What they have accepted.
v1::RunState ParseState(const std::string& text);
OutputFormat ParseFormat(const std::string& text);
Color ParseColor(const std::string& text);
int64_t ParseNumber(const std::string& text);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_CHECKS_H_
