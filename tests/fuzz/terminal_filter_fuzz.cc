// The filter of what a job may say to a terminal: nothing else comes out, wherever the input is
// cut.

#include <string>

#include "client/cli/terminal_filter.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::client::cli {
namespace {

using fuzz::Check;

// "\x1b[" parameters "m", or "\x1b[" digit "K", or a single character that moves nothing.
size_t LengthOfHarmless(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte != 0x1b) {
    const bool is_control = byte < 0x20 || byte == 0x7f;
    return is_control && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\b' ? 0 : 1;
  }
  if (text.size() < 3 || text[1] != '[') return 0;
  const size_t end = text.find_first_not_of("0123456789;:", 2);
  if (end == text.npos) return 0;
  return text[end] == 'm' || (text[end] == 'K' && end <= 3) ? end + 1 : 0;
}

void CheckHarmless(std::string_view shown) {
  for (size_t i = 0; i + 1 < shown.size(); ++i) {
    const bool is_c1 = static_cast<unsigned char>(shown[i]) == 0xc2 &&
                       static_cast<unsigned char>(shown[i + 1]) < 0xa0;
    Check(!is_c1, "no control character of eight bits");
  }
  while (!shown.empty()) {
    const size_t size = LengthOfHarmless(shown);
    Check(size > 0, "nothing but text, styles and the erased line", shown);
    shown.remove_prefix(size);
  }
}

void Run(std::string_view bytes) {
  TerminalFilter filter;
  std::string shown;
  filter.Append(bytes, &shown);
  CheckHarmless(shown);

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
