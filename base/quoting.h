// Text of unknown origin made safe for a terminal, an error message and a shell.
#ifndef JOBTAIL_BASE_QUOTING_H_
#define JOBTAIL_BASE_QUOTING_H_

#include <string>
#include <string_view>

namespace jobtail {

// Three ways to show text of unknown origin.

// For a person at a terminal: what could move the cursor, change colours or deceive (deceptive.h)
// comes out as "\n", "\x1b", "\u202e", and bytes that are not UTF-8 as "\xff"; all else is left as
// it is. On one line.
std::string Printable(std::string_view text);

// For an error message: in double quotes, with all but printable ASCII escaped, and cut after 100
// bytes.
std::string Quoted(std::string_view text);

// For a shell's command line: one word, in single quotes only where it has to be.
std::string ShellQuoted(std::string_view text);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_QUOTING_H_
