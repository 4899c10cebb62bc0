// Records as they nearly always are, read without a message for each: lines of text.
#ifndef JOBTAIL_SERVER_LOG_PLAIN_LINE_H_
#define JOBTAIL_SERVER_LOG_PLAIN_LINE_H_

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

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_PLAIN_LINE_H_
