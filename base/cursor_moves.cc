// Control sequences of ECMA-48 that concern more than one row, and DEC's.
#include "base/cursor_moves.h"

#include <cstddef>

namespace jobtail {
namespace {

// `sequence` is what follows CSI.
bool IsMove(std::string_view sequence) {
  const bool is_private = sequence.starts_with('?');
  if (is_private) sequence.remove_prefix(1);
  const size_t end = sequence.find_first_not_of("0123456789;");
  if (end == std::string_view::npos) return false;
  const char final = sequence[end];
  if (!is_private)
    return std::string_view("ABEFHJLMSTdefrsu").find(final) != std::string_view::npos;
  const std::string_view mode = sequence.substr(0, end);
  return (final == 'h' || final == 'l') && (mode == "47" || mode == "1047" || mode == "1049");
}

}  // namespace

bool MovesToOtherRows(std::string_view text) {
  constexpr std::string_view kEscape = "\x1b", kControl = "\xc2\x9b";  // ESC; CSI in eight bits
  for (size_t at = text.find(kEscape); at != std::string_view::npos;
       at = text.find(kEscape, at + 1)) {
    const std::string_view rest = text.substr(at + 1);
    if (rest.empty()) return false;
    if (rest[0] == '[' && IsMove(rest.substr(1))) return true;
    if (std::string_view("78DEMc").find(rest[0]) != std::string_view::npos) return true;
  }
  for (size_t at = text.find(kControl); at != std::string_view::npos;
       at = text.find(kControl, at + 1)) {
    if (IsMove(text.substr(at + kControl.size()))) return true;
  }
  return false;
}

}  // namespace jobtail
