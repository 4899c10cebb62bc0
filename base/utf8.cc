// Reading, checking and repairing UTF-8.

#include "base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace jobtail {
namespace {

// The length that a first byte announces; 0 for a byte that begins no character.
size_t SequenceLength(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

bool IsScalarValue(char32_t code, size_t bytes) {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  return code >= kSmallest[bytes] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

constexpr uint64_t kHighBits = 0x8080'8080'8080'8080;
constexpr size_t kWord = sizeof(uint64_t);

// All bits of a word's bytes.
uint64_t Word(const char* at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

// Most lines are, and this is quicker to tell than the rest: without a branch for each word.
bool IsAscii(std::string_view text) {
  uint64_t bits = 0;
  size_t at = 0;
  for (; at + 4 * kWord <= text.size(); at += 4 * kWord) {
    const char* const four = text.data() + at;
    bits |= (Word(four) | Word(four + kWord)) | (Word(four + 2 * kWord) | Word(four + 3 * kWord));
  }
  for (; at + kWord <= text.size(); at += kWord) bits |= Word(text.data() + at);
  for (; at < text.size(); ++at) bits |= static_cast<uint8_t>(text[at]);
  return (bits & kHighBits) == 0;
}

// Copies a word, and returns all bits of its bytes.
uint64_t CopyWord(const char* from, char* to) {
  const uint64_t word = Word(from);
  memcpy(to, &word, sizeof word);
  return word;
}

}  // namespace

size_t UnfinishedCharacter(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const std::string_view tail = text.substr(text.size() - back);
    const auto first = static_cast<uint8_t>(tail[0]);
    if ((first & 0xc0) == 0x80) continue;  // the character began earlier
    if (SequenceLength(first) <= back) return 0;
    if (back == 1) return back;
    // The second byte tells overlong forms, surrogates and what is beyond the last character.
    const auto second = static_cast<uint8_t>(tail[1]);
    const bool is_none = (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                         (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
    return is_none ? 0 : back;
  }
  return 0;
}

bool CopyAscii(std::string_view text, char* to) {
  const char* const from = text.data();
  uint64_t bits = 0;
  size_t at = 0;
  for (; at + 4 * kWord <= text.size(); at += 4 * kWord) {
    bits |= CopyWord(from + at, to + at) | CopyWord(from + at + kWord, to + at + kWord) |
            CopyWord(from + at + 2 * kWord, to + at + 2 * kWord) |
            CopyWord(from + at + 3 * kWord, to + at + 3 * kWord);
  }
  for (; at + kWord <= text.size(); at += kWord) bits |= CopyWord(from + at, to + at);
  for (; at < text.size(); ++at) bits |= static_cast<uint8_t>(to[at] = from[at]);
  return (bits & kHighBits) == 0;
}

Utf8Character FirstCharacter(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const size_t bytes = SequenceLength(first);
  if (bytes == 1) return {first, 1, true};
  const Utf8Character bad = {first, 1, false};
  if (bytes == 0 || bytes > text.size()) return bad;
  char32_t code = first & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return bad;
    code = code << 6 | (next & 0x3f);
  }
  return IsScalarValue(code, bytes) ? Utf8Character{code, bytes, true} : bad;
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

void DropByteOrderMark(std::string* text) {
  text->erase(0, text->size() - WithoutByteOrderMark(*text).size());
}

bool IsUtf8(std::string_view text) {
  if (IsAscii(text)) return true;
  while (!text.empty()) {
    const Utf8Character character = FirstCharacter(text);
    if (!character.valid) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::string ToUtf8(std::string_view text, size_t max_bytes) {
  std::string result;
  result.reserve(std::min(text.size(), max_bytes));
  while (!text.empty()) {
    const Utf8Character character = FirstCharacter(text);
    if (character.bytes > max_bytes - result.size()) break;
    if (character.valid) {
      result.append(text.substr(0, character.bytes));
    } else {
      result.push_back('?');
    }
    text.remove_prefix(character.bytes);
  }
  return result;
}

}  // namespace jobtail
