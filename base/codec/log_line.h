// The wire encoding of LogLine and LogBatch, written and read without a message for each line.
#ifndef JOBTAIL_BASE_CODEC_LOG_LINE_H_
#define JOBTAIL_BASE_CODEC_LOG_LINE_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "jobtail/v1/log.pb.h"

namespace jobtail {

// The encoding of LogLine and LogBatch, written and read by hand: it is done for every line, and a
// message for each costs more than all the rest. The bytes are those of the protobuf library.
//
// What is read is not trusted. A view is refused, and the bytes left to the library, where the
// library could understand them otherwise; see DecodeLine().

// The largest number that a record may have. No log gets as far: a million records a second for
// more than two centuries. Adding one, or counting in JavaScript, is still exact.
inline constexpr int64_t kMaxSequence = (int64_t{1} << 53) - 1;

// The bytes that the job printed after a line's text: "\n", "\r", "\r\n" or nothing.
inline std::string_view EndingBytes(v1::Ending ending) {
  if (ending == v1::ENDING_LF) return "\n";
  if (ending == v1::ENDING_CR) return "\r";
  if (ending == v1::ENDING_CRLF) return "\r\n";
  return "";
}

// Whether the next record of the same stream begins a new line, rather than continuing this one.
constexpr bool EndsLine(v1::Ending ending) {
  return ending != v1::ENDING_NONE && ending != v1::ENDING_SPLIT;
}

// Whether the next text of `stream` begins a new line because of this record. The one rule of which
// record ends whose unfinished line, for all that puts lines together of records, counts them or
// prints them; endsLineOf in web/src/log/record.ts is the same for the page.
//
// Text ends a line of its own stream, by its ending. The result ends both streams' lines, and so
// does a gap: nobody knows what of them is missing. Not a gap in place of lines that were
// overwritten: those were whole lines. Messages that are not records end nothing.
bool EndsLineOf(v1::Stream stream, const v1::LogLine& record);

// --- writing

// A line of text on its way into a log.
struct TextLine {
  v1::Stream stream;
  v1::Ending ending;
  int64_t time_unix_nanos;
  std::string_view text;  // any bytes, without the terminator
};

// The number of bytes that the job printed for this line, terminator included.
inline int64_t PrintedBytes(const TextLine& line) {
  return static_cast<int64_t>(line.text.size() + EndingBytes(line.ending).size());
}

// Appends to `batch` the encoding of one element of LogBatch.lines. `text` is used where the line
// is valid UTF-8, `raw` where it is not.
void EncodeLine(int64_t sequence, int64_t time_unix_nanos, const TextLine& line,
                std::string* batch);
void EncodeLine(const v1::LogLine& line, std::string* batch);

// The same, written at `to`, where there is room for MostEncodedBytes(line). Returns the end.
char* EncodeLine(int64_t sequence, int64_t time_unix_nanos, const TextLine& line, char* to);
constexpr size_t MostEncodedBytes(const TextLine& line) { return 100 + line.text.size(); }

// The same for the lines of a log one after the other, in less time: what a line's number and
// time have in common with those of the line before is kept from then. Any number and time may come
// at any time; not thread-safe.
class LineEncoder {
 public:
  // See EncodeLine.
  char* Encode(int64_t sequence, int64_t time_unix_nanos, const TextLine& line, char* to);

 private:
  inline bool Follow(int64_t sequence, int64_t time_unix_nanos);

  // Of the line before, with its bytes as a varint has them.
  int64_t sequence_ = 0;
  uint64_t sequence_bytes_ = 0;
  int sequence_size_ = 1;
  int second_size_ = 0;
  int64_t second_ = 0;  // when it began, in Unix nanoseconds
  uint64_t second_bytes_ = 0;
};

// --- reading

// A LogLine as it lies in the encoded bytes that it refers to.
struct LineView {
  int64_t sequence = 0;  // 0: no record
  v1::Stream stream = v1::STREAM_UNSPECIFIED;
  v1::Ending ending = v1::ENDING_UNSPECIFIED;
  v1::LogLine::ContentCase content = v1::LogLine::CONTENT_NOT_SET;
  std::string_view bytes;           // of `text` or `raw`; of other content the encoded message
  std::string_view encoded_time;    // a google.protobuf.Timestamp; data() is null if there is none
  std::string_view encoded;         // the whole
  bool has_unknown_fields = false;  // of a later version of the protocol

  bool is_text() const { return content == v1::LogLine::kText || content == v1::LogLine::kRaw; }
  // 1970 if there is none, or what is there is no Timestamp.
  google::protobuf::Timestamp time() const;
};

// Makes a view of an encoded LogLine. False, with `line` in any state, where the bytes are none or
// not as an encoder writes them (a varint in more bytes than it takes, a message in two parts), and
// where the sequence number is one that no record has: negative or above kMaxSequence. Does not
// look at whether `text` is UTF-8.
bool DecodeLine(std::string_view encoded, LineView* line);

// The same as of the message.
bool EndsLineOf(v1::Stream stream, const LineView& record);

// Walks the elements of an encoded LogBatch without decoding them:
//
//   RecordWalker walker(batch);
//   while (walker.Next()) use(walker.element(), walker.payload());
class RecordWalker {
 public:
  explicit RecordWalker(std::string_view batch) : rest_(batch) {}

  // Moves to the next element. False at the end, and where the bytes are no element: rest() is then
  // not empty.
  bool Next();

  std::string_view element() const { return element_; }  // with tag and length, as in a LogBatch
  std::string_view payload() const { return payload_; }  // the LogLine alone
  std::string_view rest() const { return rest_; }        // what follows the element

 private:
  std::string_view rest_;
  std::string_view element_;
  std::string_view payload_;
};

// The sequence number in an encoded LogLine, which comes first; 0 if it is not a record.
int64_t SequenceOf(std::string_view line);

// The time in an encoded LogLine, and of the first element of a LogBatch, in Unix nanoseconds; 0 if
// there is none.
int64_t TimeOf(std::string_view line);
int64_t TimeOfFirst(std::string_view batch);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CODEC_LOG_LINE_H_
