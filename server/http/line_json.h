// A line of a log as JSON, without the protobuf library.
#ifndef JOBTAIL_SERVER_HTTP_LINE_JSON_H_
#define JOBTAIL_SERVER_HTTP_LINE_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "jobtail/v1/log.pb.h"

namespace jobtail::http {

// A LogLine as it lies in a batch, taken apart without the protobuf library, which takes some
// thirty times as long. Refers to the bytes it was made of.
struct LineView {
  int64_t sequence = 0;
  int64_t time_unix_nanos = 0;
  v1::Stream stream = v1::STREAM_UNSPECIFIED;
  v1::Ending ending = v1::ENDING_UNSPECIFIED;
  v1::LogLine::ContentCase content = v1::LogLine::CONTENT_NOT_SET;
  std::string_view bytes;    // of the content: of text and raw, or the encoded message
  std::string_view encoded;  // the whole
};

// False if the bytes are not a LogLine.
bool ParseLine(std::string_view encoded, LineView* line);

// Appends the LogLine in protobuf's JSON mapping, byte for byte as the library would write it.
void AppendJson(const LineView& line, std::string* json);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_LINE_JSON_H_
