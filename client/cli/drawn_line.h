// One line of a job's text as a terminal would show it.
#ifndef JOBTAIL_CLIENT_CLI_DRAWN_LINE_H_
#define JOBTAIL_CLIENT_CLI_DRAWN_LINE_H_

#include <string>
#include <string_view>

namespace jobtail::client::cli {

// What a terminal shows of `shown`, which a TerminalFilter that knows no rows has let through,
// without line ends: text and styles alone, with backspaces, erasures and, where there are such,
// tabs done. So a line can stand to the right of something that it must not draw over. The text
// begins in `style`, a string of SGR sequences, and the usual style is what it ends in.
std::string DrawnLine(std::string_view shown, const std::string& style);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_DRAWN_LINE_H_
