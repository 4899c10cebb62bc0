// Text as strings of JSON, as the protobuf library writes them.

#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace jobtail {
namespace {

constexpr char kHex[] = "0123456789abcdef";

struct EscapedRange {
  uint32_t first;
  uint32_t last;
};

// Beyond ASCII.
constexpr EscapedRange kEscaped[] = {
    {0x0080, 0x009f}, {0x00ad, 0x00ad}, {0x0600, 0x0603},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x17b4, 0x17b5}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x2064},   {0x206a, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
};

bool IsEscaped(uint32_t character) {
  return std::any_of(std::begin(kEscaped), std::end(kEscaped),
                     [character](const EscapedRange& range) {
                       return character >= range.first && character <= range.last;
                     });
}

// The first bytes of all characters of kEscaped: others are not even looked at.
constexpr bool MayBeginEscaped(uint8_t byte) {
  return byte == 0xc2 || byte == 0xd8 || byte == 0xdb || byte == 0xdc || byte == 0xe1 ||
         byte == 0xe2 || byte == 0xef || byte == 0xf0 || byte == 0xf3;
}

constexpr bool IsPlain(uint8_t byte) {
  if (byte >= 0x80) return !MayBeginEscaped(byte);
  return byte >= 0x20 && byte != '"' && byte != '\\' && byte != '<' && byte != '>' && byte != 0x7f;
}

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t byte = 0; byte < plain.size(); ++byte) plain[byte] = IsPlain(byte);
  return plain;
}();

size_t LengthOf(uint8_t first) {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

uint32_t Decode(std::string_view bytes) {
  const auto byte = [bytes](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  constexpr uint8_t kMasks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t character = byte(0) & kMasks[bytes.size()];
  for (size_t at = 1; at < bytes.size(); ++at) character = character << 6 | (byte(at) & 0x3f);
  return character;
}

void AppendUnit(uint32_t unit, std::string* json) {
  const char escape[] = {
      '\\',           'u', kHex[unit >> 12 & 15], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15],
      kHex[unit & 15]};
  json->append(escape, sizeof escape);
}

void AppendEscape(uint32_t character, std::string* json) {
  switch (character) {
    case '\b':
      json->append("\\b");
      return;
    case '\t':
      json->append("\\t");
      return;
    case '\n':
      json->append("\\n");
      return;
    case '\f':
      json->append("\\f");
      return;
    case '\r':
      json->append("\\r");
      return;
    case '"':
      json->append("\\\"");
      return;
    case '\\':
      json->append("\\\\");
      return;
    default:
      break;
  }
  if (character < 0x10000) return AppendUnit(character, json);
  AppendUnit(0xd800 + ((character - 0x10000) >> 10), json);
  AppendUnit(0xdc00 + (character & 0x3ff), json);
}

}  // namespace

void AppendJsonText(std::string_view text, std::string* json) {
  json->push_back('"');
  size_t begin = 0;  // of what can be copied as it is
  for (size_t at = 0; at < text.size();) {
    const auto first = static_cast<uint8_t>(text[at]);
    if (kPlain[first]) {
      ++at;
      continue;
    }
    const std::string_view bytes = text.substr(at, LengthOf(first));
    const uint32_t character = Decode(bytes);
    if (character < 0x80 || IsEscaped(character)) {
      json->append(text, begin, at - begin);
      AppendEscape(character, json);
      begin = at + bytes.size();
    }
    at += bytes.size();
  }
  json->append(text, begin);
  json->push_back('"');
}

}  // namespace jobtail
