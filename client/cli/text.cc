#include "client/cli/text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace jobtail::client::cli {
namespace {

struct Character {
  char32_t code;
  size_t size;  // in bytes; 0 if they are not UTF-8
};

size_t SequenceLength(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

bool IsScalarValue(char32_t code, size_t size) {
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return code >= smallest[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

// The first character of `text`, which is not empty.
Character Decode(absl::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t size = SequenceLength(first);
  if (size <= 1) return {first, size};
  if (size > text.size()) return {first, 0};
  char32_t code = first & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return {first, 0};
    code = code << 6 | (next & 0x3f);
  }
  return IsScalarValue(code, size) ? Character{code, size} : Character{first, 0};
}

bool IsHarmless(char32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;        // controls
  if (code == 0x061c || code == 0x200e || code == 0x200f) return false;  // marks of direction
  if (code >= 0x2028 && code <= 0x202e) return false;                    // separators, overrides
  return code < 0x2066 || code > 0x2069;                                 // isolates
}

std::string Escaped(Character character) {
  if (character.size > 1) return absl::StrFormat("\\u%04x", static_cast<uint32_t>(character.code));
  if (character.code == '\n') return "\\n";
  if (character.code == '\t') return "\\t";
  return absl::StrFormat("\\x%02x", static_cast<uint32_t>(character.code));
}

bool NeedsNoQuotes(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("_-.,:/=+@%", c);
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const Character character = Decode(text);
    const size_t size = std::max<size_t>(character.size, 1);
    if (character.size > 0 && IsHarmless(character.code)) {
      printable.append(text.data(), size);
    } else {
      printable.append(Escaped(character));
    }
    text.remove_prefix(size);
  }
  return printable;
}

size_t Width(absl::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

std::string Fitted(const std::string& text, size_t columns) {
  if (Width(text) <= columns) return text;
  if (columns == 0) return "";
  size_t end = 0;
  for (size_t seen = 0; end < text.size(); ++end) {
    if ((text[end] & 0xc0) != 0x80 && ++seen == columns) break;
  }
  return text.substr(0, end) + "…";
}

std::string ShellQuoted(absl::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), NeedsNoQuotes)) {
    return std::string{text};
  }
  return "'" + absl::StrReplaceAll(text, {{"'", "'\\''"}}) + "'";
}

}  // namespace jobtail::client::cli
