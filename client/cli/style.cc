// Colours, and the terminal's size.

#include "client/cli/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace jobtail::client::cli {
namespace {

// The parameter of the terminal's code SGR.
int CodeOf(Paint paint) {
  switch (paint) {
    case Paint::kPlain:
      return 0;
    case Paint::kBold:
      return 1;
    case Paint::kDim:
      return 2;
    case Paint::kRed:
      return 31;
    case Paint::kGreen:
      return 32;
    case Paint::kYellow:
      return 33;
    case Paint::kBlue:
      return 34;
    case Paint::kMagenta:
      return 35;
    case Paint::kCyan:
      return 36;
  }
  return 0;
}

bool IsSet(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool UsesColor(Color wish, int fd) {
  if (wish != Color::kAuto) return wish == Color::kAlways;
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || absl::string_view(terminal) == "dumb";
  return isatty(fd) == 1 && !is_dumb && !IsSet("NO_COLOR");
}

std::string Painted(absl::string_view text, Paint paint) {
  if (paint == Paint::kPlain) return std::string(text);
  return absl::StrCat("\x1b[", CodeOf(paint), "m", text, "\x1b[0m");
}

Paint PaintOf(v1::RunState state) {
  switch (state) {
    case v1::RUN_STATE_PENDING:
      return Paint::kDim;
    case v1::RUN_STATE_RUNNING:
      return Paint::kCyan;
    case v1::RUN_STATE_SUCCEEDED:
      return Paint::kGreen;
    case v1::RUN_STATE_FAILED:
    case v1::RUN_STATE_LOST:
      return Paint::kRed;
    case v1::RUN_STATE_CANCELLED:
    case v1::RUN_STATE_TIMED_OUT:
      return Paint::kYellow;
    default:
      return Paint::kPlain;
  }
}

Paint PaintInTurn(size_t number) {
  constexpr Paint kPaints[] = {Paint::kCyan,    Paint::kYellow, Paint::kGreen,
                               Paint::kMagenta, Paint::kBlue,   Paint::kRed};
  return kPaints[number % std::size(kPaints)];
}

TerminalSize SizeOf(int fd) {
  winsize size = {};
  TerminalSize result;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_col > 0) result.columns = size.ws_col;
  if (size.ws_row > 0) result.rows = size.ws_row;
  return result;
}

}  // namespace jobtail::client::cli
