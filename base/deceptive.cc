// The characters that deceive. A test of the console page reads the tables in this file.

#include "base/deceptive.h"

#include <algorithm>
#include <span>

namespace jobtail {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

constexpr CodeRange kDeceptive[] = {
    {0x00ad, 0x00ad},    // soft hyphen
    {0x034f, 0x034f},    // combining grapheme joiner
    {0x061c, 0x061c},    // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180e, 0x180e},    // Mongolian vowel separator
    {0x200b, 0x200c},    // zero width space and non-joiner
    {0x200e, 0x200f},    // marks of direction
    {0x2028, 0x202e},    // separators of lines and paragraphs, embeddings and overrides
    {0x2060, 0x206f},    // word joiner, invisible operators, isolates, deprecated controls
    {0x3164, 0x3164},    // Hangul filler
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // halfwidth Hangul filler
    {0xfff9, 0xfffb},    // interlinear annotation
    {0xe0000, 0xe007f},  // tags
};

// Scripts whose words may have a non-joiner in them.
constexpr CodeRange kJoining[] = {
    {.first = 0x0600,
     .last = 0x08ff},  // Arabic, Syriac, Thaana, N'Ko, Mandaic and their supplements
    {.first = 0x0900, .last = 0x0dff},  // from Devanagari to Sinhala
    {.first = 0x1800, .last = 0x18af},  // Mongolian
    {.first = 0xa840, .last = 0xa87f},  // Phags-pa
    {.first = 0xfb50, .last = 0xfdff},  // presentation forms of Arabic
    {.first = 0xfe70, .last = 0xfefc},
};

bool IsIn(std::span<const CodeRange> ranges, char32_t code) {
  return std::ranges::any_of(
      ranges, [code](const CodeRange& range) { return code >= range.first && code <= range.last; });
}

}  // namespace

bool IsDeceptive(char32_t code, char32_t before, char32_t after) {
  constexpr char32_t kNonJoiner = 0x200c;
  const bool is_in_word = code == kNonJoiner && IsIn(kJoining, before) && IsIn(kJoining, after);
  return !is_in_word && IsDeceptive(code);
}

bool IsDeceptive(char32_t code) { return IsIn(kDeceptive, code); }

}  // namespace jobtail
