#ifndef JOBTAIL_SERVER_LOG_RECORD_H_
#define JOBTAIL_SERVER_LOG_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "jobtail/v1/log.pb.h"

namespace jobtail {

// A line of text on its way into a log.
struct TextLine {
  v1::Stream stream;
  v1::Ending ending;
  int64_t time_unix_nanos;
  std::string_view text;  // any bytes, without the terminator
};

// The number of bytes that the job printed for this line, terminator included.
int64_t PrintedBytes(const TextLine& line);

// Appends to `batch` the encoding of one element of LogBatch.lines. The bytes are those that the
// protobuf library would write for the same LogLine; `text` is used where the line is valid UTF-8,
// `raw` where it is not.
void EncodeLine(int64_t sequence, int64_t time_unix_nanos, const TextLine& line,
                std::string* batch);
void EncodeLine(const v1::LogLine& line, std::string* batch);

// Records that are not text. Times are in Unix nanoseconds.
v1::LogLine GapRecord(int64_t first, int64_t last, v1::GapReason reason, int64_t time_unix_nanos);
v1::LogLine ResultRecord(int64_t sequence, const v1::RunResult& result, int64_t time_unix_nanos);

// Walks the elements of an encoded LogBatch without parsing them:
//
//   RecordWalker walker(batch);
//   while (walker.Next()) use(walker.element(), walker.payload());
//
// The bytes must be whole elements, as EncodeLine writes them.
class RecordWalker {
 public:
  explicit RecordWalker(std::string_view batch) : rest_(batch) {}

  // Moves to the next element. False at the end, or where the bytes are not an element.
  bool Next();

  std::string_view element() const { return element_; }  // with tag and length, as in a LogBatch
  std::string_view payload() const { return payload_; }  // the LogLine alone
  std::string_view rest() const { return rest_; }        // what follows the element

 private:
  std::string_view rest_;
  std::string_view element_;
  std::string_view payload_;
};

// The sequence number in an encoded LogLine; 0 if it is not a record.
int64_t SequenceOf(std::string_view line);

// The time in an encoded LogLine, and of the first element of a LogBatch, in Unix nanoseconds; 0 if
// there is none.
int64_t TimeOf(std::string_view line);
int64_t TimeOfFirst(std::string_view batch);

int64_t ToUnixNanos(const google::protobuf::Timestamp& time);
google::protobuf::Timestamp FromUnixNanos(int64_t unix_nanos);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_RECORD_H_
