// Candidates for the word at the cursor of a half-typed command line.
#ifndef JOBTAIL_CLIENT_CLI_COMPLETION_H_
#define JOBTAIL_CLIENT_CLI_COMPLETION_H_

#include <string>
#include <vector>

namespace jobtail::client::cli {

// A word that may stand where the cursor is, and what it means; "" if that is clear.
struct Candidate {
  std::string word;
  std::string help;
};

// What the last of `words`, which may be empty, could become: `words` are those of a command line
// after "jobtail", up to the cursor. Asks the server for jobs, parameters and runs, and has none of
// them to offer where it does not answer soon.
std::vector<Candidate> Complete(const std::vector<std::string>& words);

// The hidden command that the shells' scripts call, `jobtail __complete -- WORD...`: prints a line
// for each candidate, WORD TAB HELP. Returns 0 and says nothing whatever goes wrong.
int ExecuteComplete(int argc, const char* const* argv);

// The script that `jobtail completion SHELL` prints.
std::string CompletionScript(const std::string& shell);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_COMPLETION_H_
