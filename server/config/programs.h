// The programs whose command lines are known: which of their arguments are code, and which
// programs.
#ifndef JOBTAIL_SERVER_CONFIG_PROGRAMS_H_
#define JOBTAIL_SERVER_CONFIG_PROGRAMS_H_

#include <string>
#include <string_view>

namespace jobtail::config {

// How a program reads its arguments.
struct Program {
  enum Kind {
    kShell,        // the first operand is a script, or with -c code; what follows is data
    kInterpreter,  // the same, but code is the value of an option
    kCode,         // as an interpreter, but without an option for it the first operand is code
    kLauncher,     // after its own operands there is a program with its arguments
    kRemote,       // the same, but a shell gets the arguments, joined
    kData,         // neither, but it may have options of code
  };
  std::string_view names = {};  // separated by blanks
  Kind kind = kInterpreter;
  std::string_view code = {};    // letters of options whose value is code
  std::string_view values = {};  // letters of options with another value, perhaps of what is loaded
  std::string_view long_options = {};  // long options whose value is code: "eval print"
  std::string_view valued = {};        // long options with another value
  int operands = 0;                    // of a launcher, before the program
  bool goes_on = false;                // more options may follow the code
  // Letters and long options among those with a value: it is but data. Of a launcher: it stands for
  // the operands, which are then not there.
  std::string_view data = {};
  bool expands = false;            // code may be in operands, as in make's "NAME=$(shell ...)"
  std::string_view expanded = {};  // and in the values of these, letters and long options
  bool reads_code = false;         // from its input, where its arguments have none
  // Operands of an interpreter behind which it has another: "eval", "timeit".
  std::string_view through = {};
};

// The name of a program as the table has it: "python3.11" is "python", and "/bin/bash-static"
// "bash".
std::string BaseName(std::string_view program);

// Whether `word` is one of those in `list`, which has blanks between them.
bool Has(std::string_view list, std::string_view word);

// Null for one that is not known. `name` is a BaseName.
const Program* FindProgram(std::string_view name);

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_PROGRAMS_H_
