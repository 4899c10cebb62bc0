#ifndef JOBTAIL_CLIENT_CLI_JSON_H_
#define JOBTAIL_CLIENT_CLI_JSON_H_

#include <google/protobuf/message.h>

#include <string>

#include "client/cli/time_format.h"
#include "jobtail/v1/log.pb.h"

namespace jobtail::client::cli {

// Appends protobuf's standard JSON of `message`, on one line, without the line's terminator. Zeros
// and empty texts are there, too: who asks for a result's exitCode shall find the 0.
void AppendJson(const google::protobuf::Message& message, std::string* json);

// The same, byte for byte, for the lines of a log, which are many: those of plain text are written
// here, twenty times as fast, and the others by protobuf. Not thread-safe.
class JsonLineWriter {
 public:
  void Append(const v1::LogLine& line, std::string* json);

 private:
  bool IsSimple(const v1::LogLine& line) const;

  TimeFormatter time_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_JSON_H_
