// The screen that jobs draw on: nothing but text comes off it, not more than fits, wherever the
// input is cut.

#include <algorithm>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "client/cli/screen.h"
#include "client/cli/terminal_filter.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::client::cli {
namespace {

using fuzz::Check;

// The lines that leave a screen on which `bytes` are drawn, in two pieces.
std::string LinesOf(std::string_view bytes, size_t cut, bool styled) {
  Screen screen(styled);
  std::vector<ScreenRow> rows;
  screen.Write({.sequence = 1, .time = {}}, bytes.substr(0, cut), &rows);
  screen.Write({.sequence = 2, .time = {}}, bytes.substr(cut), &rows);
  screen.Finish(&rows);
  Check(screen.first_held() == 0, "nothing is left");
  std::string lines;
  for (const ScreenRow& row : rows) lines.append(row.text).append(row.goes_on ? "" : "\n");
  return lines;
}

void CheckText(const std::string& lines) {
  Check(IsUtf8(lines), "text", lines);
  TerminalFilter filter;
  std::string shown;
  filter.Append(lines, &shown);
  Check(shown == lines, "nothing that a terminal obeys", lines);
}

// As time passes, what was handed out comes again only where it is another.
void CheckTicks(std::string_view bytes) {
  Screen screen(false);
  std::vector<ScreenRow> rows;
  screen.Write({.sequence = 1, .time = {}}, bytes, &rows);
  rows.clear();
  for (int i = 0; i < 2 * Screen::kStill; ++i) screen.Tick(&rows);
  Check(rows.size() <= Screen::kRows, "each row once");
  screen.Finish(&rows);
  Check(rows.size() <= 2 * Screen::kRows, "the rest, and the ends of lines that are cut off");
}

void Run(std::string_view bytes) {
  const size_t cut = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % bytes.size();
  const std::string lines = LinesOf(bytes, bytes.size(), false);
  CheckText(lines);
  Check(lines == LinesOf(bytes, cut, false), "the same in pieces", lines);
  Check(std::ranges::find(lines, '\x1b') == lines.end(), "no styles unless they are wanted");
  CheckText(LinesOf(bytes, cut, true));
  CheckTicks(bytes);
}

}  // namespace
}  // namespace jobtail::client::cli

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::client::cli::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
