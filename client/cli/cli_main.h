// The command's main function, apart from ending the process.
#ifndef JOBTAIL_CLIENT_CLI_CLI_MAIN_H_
#define JOBTAIL_CLIENT_CLI_CLI_MAIN_H_

namespace jobtail::client::cli {

// The whole command: reads the command line, does what it says, tells on stderr what went wrong,
// and returns the exit code. To be followed by _exit(), see commands.h.
int Main(int argc, const char* const* argv);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_CLI_MAIN_H_
