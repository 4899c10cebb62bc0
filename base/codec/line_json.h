// JSON of messages as protobuf writes it, and a faster writer of the same for a log's lines.
#ifndef JOBTAIL_BASE_CODEC_LINE_JSON_H_
#define JOBTAIL_BASE_CODEC_LINE_JSON_H_

#include <google/protobuf/message.h>

#include <string>

#include "base/codec/log_line.h"
#include "base/codec/proto_time.h"
#include "jobtail/v1/log.pb.h"

namespace jobtail {

// Protobuf's two ways to write a message as JSON.
enum class JsonFields {
  kSet,  // fields that have a value, in the order of their numbers
  kAll,  // zeros and empty texts as well: who asks for a result's exitCode shall find the 0
};

// Appends protobuf's standard JSON of `message`, on one line, without the line's terminator. "{}"
// for a message that has none, such as one with a time that is no time.
void AppendJson(const google::protobuf::Message& message, JsonFields fields, std::string* json);

// The same, byte for byte, for the lines of a log, which are many: text is written here, twenty
// times as fast, and all else by protobuf. Not thread-safe.
class LineJsonWriter {
 public:
  explicit LineJsonWriter(JsonFields fields) : fields_(fields) {}

  void Append(const LineView& line, std::string* json);
  void Append(const v1::LogLine& line, std::string* json);

 private:
  void AppendText(const LineView& line, const google::protobuf::Timestamp& time, std::string* json);

  const JsonFields fields_;
  TimeFormatter time_;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CODEC_LINE_JSON_H_
