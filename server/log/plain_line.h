// Records as they nearly always are, read without a message for each: lines of text.
#ifndef JOBTAIL_SERVER_LOG_PLAIN_LINE_H_
#define JOBTAIL_SERVER_LOG_PLAIN_LINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "jobtail/v1/log.pb.h"

namespace jobtail {

// A line as EncodeLine writes it. Refers to the encoded bytes.
struct PlainLine {
  v1::Stream stream = v1::STREAM_UNSPECIFIED;
  v1::Ending ending = v1::ENDING_UNSPECIFIED;
  bool is_raw = false;
  std::string_view time;
  std::string_view text;
};

// The part of a line's text that a pattern is looked for in: without a "\r" before the "\n", which
// old logs have in it.
inline std::string_view SearchedText(v1::Ending ending, std::string_view text) {
  if (ending == v1::ENDING_LF && text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// Reads an encoded LogLine. False for whatever else a record is, or may be.
bool ReadPlainLine(std::string_view payload, PlainLine* line);

// Whether the protobuf library takes the line for the same.
bool IsSound(const PlainLine& line);

// Where the element of a LogBatch that begins at `at` ends, if it is a line that ReadPlainLine
// reads, or the end of one, but not a piece that the next record continues; null if it is not, and
// sometimes if it is: always so close before `end`, the end of the batch. Copies nothing, and is
// quicker than reading.
const char* SkipPlainLine(const char* at, const char* end);

// Skips lines one after the other, each that SkipPlainLine skips, in about half the time where what
// stands before a line's text is laid out like that of a line before: its number has as many bytes,
// the last of them the same, its time is as long and it ends alike. Not thread-safe.
class PlainLineSkipper {
 public:
  // From the element at `at` on, those that begin before `until`, in a batch that ends at `end`.
  // Returns where the first begins that it leaves. `*last` is where the last begins that it skips,
  // and stays as it is if there is none.
  const char* Skip(const char* at, const char* until, const char* end, const char** last);

 private:
  using Byte = unsigned char;
  // From a line's number to the length of its text, compared at once.
  static constexpr size_t kHeadBytes = 32;
  using Head = std::array<uint64_t, kHeadBytes / sizeof(uint64_t)>;

  bool Matches(const Byte* line) const;
  const Byte* SkipAlike(const Byte* element, const Byte* end) const;
  void Learn(const Byte* element);

  size_t head_size_ = 0;  // 0: no layout is known
  Head mask_{};           // the bits that are alike in all lines of the layout
  Head bits_{};           // these bits
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_PLAIN_LINE_H_
