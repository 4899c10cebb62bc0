#include "client/cli/json.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace jobtail::client::cli {
namespace {

// Whether protobuf writes this character as it is. Of those that are not ASCII it escapes some.
bool IsPlain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>';
}

}  // namespace

void AppendJson(const google::protobuf::Message& message, std::string* json) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  (void)google::protobuf::util::MessageToJsonString(message, json, options);  // appends
}

void JsonLineWriter::Append(const v1::LogLine& line, std::string* json) {
  if (!IsSimple(line)) return AppendJson(line, json);
  absl::StrAppend(json, R"({"sequence":")", line.sequence(), R"(","stream":")",
                  v1::Stream_Name(line.stream()), R"(","ending":")", v1::Ending_Name(line.ending()),
                  R"(","time":")");
  time_.AppendShortest(line.time(), json);
  absl::StrAppend(json, R"(","text":")", line.text(), R"("})");
}

bool JsonLineWriter::IsSimple(const v1::LogLine& line) const {
  return line.content_case() == v1::LogLine::kText && line.sequence() > 0 && line.has_time() &&
         IsValid(line.time()) && line.stream() != v1::STREAM_UNSPECIFIED &&
         v1::Stream_IsValid(line.stream()) && line.ending() != v1::ENDING_UNSPECIFIED &&
         v1::Ending_IsValid(line.ending()) &&
         std::all_of(line.text().begin(), line.text().end(), IsPlain);
}

}  // namespace jobtail::client::cli
