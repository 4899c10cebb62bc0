// Reads and skips lines of text as EncodeLine writes them.
#include "server/log/plain_line.h"

#include <google/protobuf/timestamp.pb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/codec/log_line.h"
#include "base/codec/wire.h"
#include "base/utf8.h"

namespace jobtail {
namespace {

using v1::LogLine;

constexpr uint32_t kTextTag = BytesTag(LogLine::kTextFieldNumber);
constexpr uint32_t kRawTag = BytesTag(LogLine::kRawFieldNumber);

bool ReadTag(uint64_t expected, WireReader* reader) {
  uint64_t tag;
  return reader->ReadVarint(&tag) && tag == expected;
}

bool ReadNumber(int field, WireReader* reader, uint64_t* number) {
  return ReadTag(VarintTag(field), reader) && reader->ReadVarint(number);
}

bool IsPlainTime(std::string_view time) {
  using google::protobuf::Timestamp;
  WireReader reader(time);
  while (!reader.AtEnd()) {
    uint64_t tag;
    uint64_t number;
    if (!reader.ReadVarint(&tag) || !reader.ReadVarint(&number)) return false;
    if (tag != VarintTag(Timestamp::kSecondsFieldNumber) &&
        tag != VarintTag(Timestamp::kNanosFieldNumber)) {
      return false;
    }
  }
  return true;
}

// --- what follows reads without looking for the end: SkipPlainLine sees to it that there is room.

using Byte = unsigned char;

constexpr ptrdiff_t kMostTimeBytes = 31;
// Before its text an element has no more: a tag and a length of 3 bytes, a tag and a number of 8, a
// tag and a length, the time, two numbers of one byte with their tags, a tag and a length.
constexpr ptrdiff_t kMostBeforeText = 4 + 9 + 2 + kMostTimeBytes + 4 + 4;

// Moves `*at` behind a length of at most three bytes, in no more bytes than it takes. False for
// another one.
inline bool TakeLength(const Byte** at, size_t* length) {
  const Byte* const from = *at;
  *length = from[0] & 0x7F;
  if (from[0] < 0x80) {
    *at = from + 1;
    return true;
  }
  *length |= static_cast<size_t>(from[1] & 0x7F) << 7;
  if (from[1] < 0x80) {
    *at = from + 2;
    return from[1] != 0;
  }
  *length |= static_cast<size_t>(from[2]) << 14;
  *at = from + 3;
  return from[2] < 0x80 && from[2] != 0;
}

// Where a varint ends, in at most eight bytes and no more than it takes; null for another one.
inline const Byte* SkipVarint(const Byte* at) {
  if (at[0] < 0x80) return at + 1;
  for (int i = 1; i < 8; ++i) {
    if (at[i] < 0x80) return at[i] != 0 ? at + i + 1 : nullptr;
  }
  return nullptr;
}

constexpr Byte kElementTag = BytesTag(v1::LogBatch::kLinesFieldNumber);

// A length of one byte or two, in no more bytes than it takes.
struct ShortLength {
  explicit ShortLength(const Byte* at) {
    const bool is_long = at[0] >= 0x80;
    bytes = is_long ? 2 : 1;
    value = is_long ? (at[0] & 0x7FU) | size_t{at[1]} << 7 : at[0];
    is_sound = !is_long || (at[1] != 0 && at[1] < 0x80);
  }

  size_t value;
  size_t bytes;
  bool is_sound;
};

}  // namespace

bool ReadPlainLine(std::string_view payload, PlainLine* line) {
  WireReader reader(payload);
  uint64_t number;
  uint64_t tag;
  if (!ReadNumber(LogLine::kSequenceFieldNumber, &reader, &number)) return false;
  if (!ReadTag(BytesTag(LogLine::kTimeFieldNumber), &reader)) return false;
  if (!reader.ReadBytes(&line->time)) return false;
  if (!ReadNumber(LogLine::kStreamFieldNumber, &reader, &number)) return false;
  line->stream = static_cast<v1::Stream>(number);
  if (!ReadNumber(LogLine::kEndingFieldNumber, &reader, &number)) return false;
  line->ending = static_cast<v1::Ending>(number);
  if (!reader.ReadVarint(&tag) || !reader.ReadBytes(&line->text)) return false;
  line->is_raw = tag == kRawTag;
  return reader.AtEnd() && (line->is_raw || tag == kTextTag);
}

bool IsSound(const PlainLine& line) {
  return IsPlainTime(line.time) && (line.is_raw || IsUtf8(line.text));
}

const char* SkipPlainLine(const char* at, const char* end) {
  if (end - at < kMostBeforeText) return nullptr;
  const auto* byte = reinterpret_cast<const Byte*>(at);
  size_t length;
  if (*byte++ != kElementTag) return nullptr;
  if (!TakeLength(&byte, &length)) return nullptr;
  if (length > static_cast<size_t>(reinterpret_cast<const Byte*>(end) - byte)) return nullptr;
  const Byte* const line_end = byte + length;
  if (*byte++ != VarintTag(LogLine::kSequenceFieldNumber)) return nullptr;
  byte = SkipVarint(byte);
  if (!byte || byte[0] != BytesTag(LogLine::kTimeFieldNumber)) return nullptr;
  if (byte[1] > kMostTimeBytes) return nullptr;
  byte += 2 + byte[1];
  if (byte[0] != VarintTag(LogLine::kStreamFieldNumber) || byte[1] >= 0x80) return nullptr;
  if (byte[2] != VarintTag(LogLine::kEndingFieldNumber) || byte[3] >= 0x80) return nullptr;
  if (!EndsLine(static_cast<v1::Ending>(byte[3]))) return nullptr;
  byte += 4;
  const Byte tag = *byte++;
  if (tag != kTextTag && tag != kRawTag) return nullptr;
  if (!TakeLength(&byte, &length)) return nullptr;
  const bool ends_with_text = byte <= line_end && length == static_cast<size_t>(line_end - byte);
  return ends_with_text ? reinterpret_cast<const char*>(line_end) : nullptr;
}

bool PlainLineSkipper::Matches(const Byte* line) const {
  Head head;
  memcpy(head.data(), line, kHeadBytes);
  uint64_t differences = 0;
  for (size_t i = 0; i < head.size(); ++i) differences |= (head[i] & mask_[i]) ^ bits_[i];
  return differences == 0;
}

// Behind the element, if it is a line of the layout that is known; else null.
const PlainLineSkipper::Byte* PlainLineSkipper::SkipAlike(const Byte* element,
                                                          const Byte* end) const {
  // A tag and a length, the head, and the length of the text.
  static_assert(kMostBeforeText >= static_cast<ptrdiff_t>(3 + kHeadBytes + 2));
  if (end - element < kMostBeforeText || element[0] != kElementTag) return nullptr;
  const ShortLength length(element + 1);
  const Byte* const line = element + 1 + length.bytes;
  if (!length.is_sound || !Matches(line)) return nullptr;
  const ShortLength text(line + head_size_);
  const bool is_plain = text.is_sound && length.value == head_size_ + text.bytes + text.value &&
                        length.value <= static_cast<size_t>(end - line);
  return is_plain ? line + length.value : nullptr;
}

const char* PlainLineSkipper::Skip(const char* at, const char* until, const char* end,
                                   const char** last) {
  while (at < until) {
    const char* next = nullptr;
    if (head_size_ > 0) {
      next = reinterpret_cast<const char*>(
          SkipAlike(reinterpret_cast<const Byte*>(at), reinterpret_cast<const Byte*>(end)));
    }
    if (!next) {
      next = SkipPlainLine(at, end);
      if (!next) break;
      Learn(reinterpret_cast<const Byte*>(at));
    }
    *last = at;
    at = next;
  }
  return at;
}

// From an element that SkipPlainLine skips. Alike in others of its layout are the tags, how many
// bytes the number has and, if these are several, the last of them, which must not be 0, the
// time's length and the ending.
void PlainLineSkipper::Learn(const Byte* element) {
  std::array<Byte, kMostBeforeText> mask{};
  const Byte* line = element + 1;
  while (*line++ >= 0x80) continue;
  size_t at = 0;
  const auto take = [&](Byte bits) { mask.at(at++) = bits; };
  take(0xFF);
  const bool is_short = line[at] < 0x80;
  while (line[at] >= 0x80) take(0x80);
  take(is_short ? 0x80 : 0xFF);
  take(0xFF);
  const size_t time = line[at];
  take(0xFF);
  at += time;
  take(0xFF);
  take(0x80);
  take(0xFF);
  take(0xFF);
  take(0xFF);
  head_size_ = at <= kHeadBytes ? at : 0;
  if (head_size_ == 0) return;
  memcpy(mask_.data(), mask.data(), kHeadBytes);
  memcpy(bits_.data(), line, kHeadBytes);
  for (size_t i = 0; i < bits_.size(); ++i) bits_[i] &= mask_[i];
}

}  // namespace jobtail
