// Colours and the size of a terminal, and whether to use colours at all.
#ifndef JOBTAIL_CLIENT_CLI_STYLE_H_
#define JOBTAIL_CLIENT_CLI_STYLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "jobtail/v1/run.pb.h"

namespace jobtail::client::cli {

// Whether to use colours, as --color says.
enum class Color { kAuto, kAlways, kNever };

enum class Paint { kPlain, kBold, kDim, kRed, kGreen, kYellow, kBlue, kMagenta, kCyan };

// Whether what is written to `fd` should be coloured. kAuto: if it is a terminal that knows colours
// (TERM is not "dumb") and the environment has no NO_COLOR (https://no-color.org).
bool UsesColor(Color wish, int fd);

// `text` with the terminal's codes around it; as it is for kPlain.
std::string Painted(absl::string_view text, Paint paint);

// The colour of a state: green for success, red for failure, ...
Paint PaintOf(v1::RunState state);

// One of several colours that are easily told apart, in turn.
Paint PaintInTurn(size_t number);

struct TerminalSize {
  size_t columns = 80;
  size_t rows = 24;
};

// The present size of the terminal `fd`; 80 x 24 where it does not tell.
TerminalSize SizeOf(int fd);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_STYLE_H_
