// The filter of what a job may say to a terminal: nothing else comes out, wherever the input is
// cut.

#include <stdlib.h>

#include <algorithm>
#include <string>

#include "client/cli/terminal_filter.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::client::cli {
namespace {

using fuzz::Check;

// "\x1b[" parameters "m", or "\x1b[" digit "K", or a single character that moves nothing. With
// `rows`, also "\x1b[J" and moves of at most 23 rows, whose sum must stay within what was printed.
size_t LengthOfHarmless(std::string_view text, bool rows) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte != 0x1b) {
    const bool is_control = byte < 0x20 || byte == 0x7f;
    return is_control && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\b' ? 0 : 1;
  }
  if (text.size() < 3 || text[1] != '[') return 0;
  const size_t end = text.find_first_not_of("0123456789;:", 2);
  if (end == text.npos) return 0;
  if (rows && text[end] == 'J' && end == 2) return 3;
  if (rows && (text[end] == 'A' || text[end] == 'B') && end > 2 && end <= 4) return end + 1;
  return text[end] == 'm' || (text[end] == 'K' && end <= 3) ? end + 1 : 0;
}

// The cursor is never above the first row that was printed, nor below the last.
void CheckRows(std::string_view shown) {
  int row = 0;
  int last = 0;
  for (size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] == '\n') last = std::max(last, ++row);
    if (!shown.substr(i).starts_with("\x1b[")) continue;
    const size_t end = shown.find_first_not_of("0123456789;:", i + 2);
    const int by = atoi(std::string(shown.substr(i + 2, end - i - 2)).c_str());
    if (shown[end] == 'A') row -= by;
    if (shown[end] == 'B') row += by;
    Check(row >= 0 && row <= last, "the cursor stays in the job's rows", shown);
  }
}

void CheckHarmless(std::string_view shown, bool rows) {
  for (size_t i = 0; i + 1 < shown.size(); ++i) {
    const bool is_c1 = static_cast<unsigned char>(shown[i]) == 0xc2 &&
                       static_cast<unsigned char>(shown[i + 1]) < 0xa0;
    Check(!is_c1, "no control character of eight bits");
  }
  while (!shown.empty()) {
    const size_t size = LengthOfHarmless(shown, rows);
    Check(size > 0, "nothing but text, styles and the erased line", shown);
    shown.remove_prefix(size);
  }
}

void Run(std::string_view bytes) {
  TerminalFilter filter;
  std::string shown;
  filter.Append(bytes, &shown);
  CheckHarmless(shown, false);

  OwnRows rows;
  TerminalFilter drawing(&rows);
  std::string drawn;
  drawing.Append(bytes, &drawn);
  CheckRows(drawn);
  CheckHarmless(drawn, true);

  const size_t cut = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % bytes.size();
  TerminalFilter pieces;
  std::string piecewise;
  pieces.Append(bytes.substr(0, cut), &piecewise);
  pieces.Append(bytes.substr(cut), &piecewise);
  Check(piecewise == shown, "the same in pieces");

  TerminalFilter again;
  std::string twice;
  again.Append(shown, &twice);
  Check(twice == shown, "what has gone through goes through", shown);
}

}  // namespace
}  // namespace jobtail::client::cli

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::client::cli::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
