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
  bool is_raw = false;
  std::string_view time;
  std::string_view text;
};

// Reads an encoded LogLine. False for whatever else a record is, or may be.
bool ReadPlainLine(std::string_view payload, PlainLine* line);

// Whether the protobuf library takes the line for the same.
bool IsSound(const PlainLine& line);

// Where the element of a LogBatch that begins at `at` ends, if it is a line that ReadPlainLine
// reads; null if it is not, and sometimes if it is: always so close before `end`, the end of the
// batch. Copies nothing, and is quicker than reading.
const char* SkipPlainLine(const char* at, const char* end);

// Skips lines one after the other, each that SkipPlainLine skips, in a third of the time where a
// line's numbers and lengths take as many bytes as those of the line before. Not thread-safe.
class PlainLineSkipper {
 public:
  // From the element at `at` on, those that begin before `until`, in a batch that ends at `end`.
  // Returns where the first begins that it leaves. `*last` is where the last begins that it skips,
  // and stays as it is if there is none.
  const char* Skip(const char* at, const char* until, const char* end, const char** last);

 private:
  using Byte = unsigned char;
  // What comes before a line's text is compared in this many bytes at once.
  static constexpr size_t kHeadBytes = 32;
  using Head = std::array<uint64_t, kHeadBytes / sizeof(uint64_t)>;

  // Where a length stands in the head, in one byte or two.
  struct Length {
    size_t at = 0;
    bool is_short = true;

    size_t Read(const Byte* head) const {
      return is_short ? head[at] : (head[at] & 0x7FU) | size_t{head[at + 1]} << 7;
    }
    size_t end() const { return at + (is_short ? 1 : 2); }
    size_t least() const { return is_short ? 0 : 0x80; }
  };

  bool Matches(const char* at) const;
  const char* SkipAlike(const char* at, const char* end) const;
  void Learn(const Byte* element);

  bool knows_ = false;  // how a line begins
  Head mask_{};         // the bits that are alike in all lines of this layout
  Head bits_{};         // these bits
  Length element_;
  Length text_;
  size_t size_before_text_ = 0;  // of what the element's length counts
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_PLAIN_LINE_H_
