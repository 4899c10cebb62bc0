// The check of UTF-8 and its repair, for bytes of unknown origin.
#ifndef JOBTAIL_BASE_UTF8_H_
#define JOBTAIL_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace jobtail {

// A character as it stands in bytes of unknown origin.
struct Utf8Character {
  char32_t code;  // of a bad byte, its value
  size_t bytes;   // at least 1
  bool valid;     // false: one byte that is no part of a character
};

// The first character of `text`, which is not empty. What UTF-8 does not allow (overlong forms,
// surrogates, sequences that are cut off) is bad bytes, one at a time.
Utf8Character FirstCharacter(std::string_view text);

// The number of bytes at the end of `text` that begin a character without completing it: 0 to 3.
size_t UnfinishedCharacter(std::string_view text);

// U+FEFF, with which some editors begin a file; no part of what is in it.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The text without one at its beginning.
std::string_view WithoutByteOrderMark(std::string_view text);
void DropByteOrderMark(std::string* text);

// Whether all of `text` is UTF-8.
bool IsUtf8(std::string_view text);

// Copies `text` to `to`, and says whether all of it is ASCII: one look at each byte for both.
bool CopyAscii(std::string_view text, char* to);

// `text` fit for a proto3 string: each bad byte becomes "?", and of what exceeds `max_bytes` the
// end is cut off, between two characters.
std::string ToUtf8(std::string_view text, size_t max_bytes);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_UTF8_H_
