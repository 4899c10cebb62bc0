// Columns on a terminal, by libutf8proc's tables.

#include "base/display_width.h"

#include <utf8proc.h>

#include "base/utf8.h"

namespace jobtail {
namespace {

constexpr char kEllipsis[] = "…";
constexpr char32_t kEmojiPresentation = 0xfe0f;

// Medial vowels and final consonants: they are drawn within the syllable that the initial consonant
// has begun.
bool IsPartOfHangulSyllable(char32_t code) {
  return (code >= 0x1160 && code <= 0x11ff) || (code >= 0xd7b0 && code <= 0xd7ff);
}

size_t WidthOf(char32_t code) {
  if (IsPartOfHangulSyllable(code)) return 0;
  return static_cast<size_t>(utf8proc_charwidth(static_cast<utf8proc_int32_t>(code)));
}

// Takes text apart into what people see as characters.
class Graphemes {
 public:
  explicit Graphemes(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  // Moves behind the next one and returns how many columns it takes.
  size_t Next() {
    size_t width = 0;
    char32_t before = 0;
    do {
      const Utf8Character character = FirstCharacter(rest_);
      const size_t own = character.valid ? WidthOf(character.code) : 1;
      // Asks for the wide form of what has a narrow one, too.
      width += character.code == kEmojiPresentation && width == 1 ? 1 : own;
      before = character.code;
      rest_.remove_prefix(character.bytes);
    } while (!rest_.empty() && !BeginsNext(before, FirstCharacter(rest_).code));
    return width;
  }

  std::string_view rest() const { return rest_; }

 private:
  bool BeginsNext(char32_t before, char32_t code) {
    return utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before),
                                            static_cast<utf8proc_int32_t>(code), &state_);
  }

  std::string_view rest_;
  utf8proc_int32_t state_ = 0;
};

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  Graphemes graphemes(text);
  while (!graphemes.AtEnd()) width += graphemes.Next();
  return width;
}

std::string FitToWidth(std::string_view text, size_t columns) {
  size_t width = 0;
  size_t end = 0;  // of what leaves a column for the ellipsis
  Graphemes graphemes(text);
  while (!graphemes.AtEnd()) {
    width += graphemes.Next();
    if (width > columns) return columns == 0 ? "" : std::string(text.substr(0, end)) + kEllipsis;
    if (width < columns) end = text.size() - graphemes.rest().size();
  }
  return std::string(text);
}

}  // namespace jobtail
