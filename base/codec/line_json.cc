// LogLine as JSON.

#include "base/codec/line_json.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/json_text.h"

namespace jobtail {
namespace {

// Whether all fields of a record with text have values that protobuf would write.
bool IsPlainRecord(const LineView& line, const google::protobuf::Timestamp& time) {
  return line.is_text() && line.sequence > 0 && IsValid(time) &&
         line.stream != v1::STREAM_UNSPECIFIED && v1::Stream_IsValid(line.stream) &&
         line.ending != v1::ENDING_UNSPECIFIED && v1::Ending_IsValid(line.ending);
}

}  // namespace

void AppendJson(const google::protobuf::Message& message, JsonFields fields, std::string* json) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = fields == JsonFields::kAll;
  std::string text;
  const bool written = google::protobuf::util::MessageToJsonString(message, &text, options).ok();
  json->append(written ? text : "{}");
}

void LineJsonWriter::Append(const LineView& line, std::string* json) {
  const google::protobuf::Timestamp time = line.time();
  const bool has_time = line.encoded_time.data() != nullptr;
  if (has_time && IsPlainRecord(line, time)) return AppendText(line, time, json);
  v1::LogLine message;
  const bool parsed =
      message.ParseFromArray(line.encoded.data(), static_cast<int>(line.encoded.size()));
  if (!parsed) return void(json->append("{}"));
  AppendJson(message, fields_, json);
}

void LineJsonWriter::Append(const v1::LogLine& line, std::string* json) {
  LineView view;
  view.sequence = line.sequence();
  view.stream = line.stream();
  view.ending = line.ending();
  view.content = line.content_case();
  view.bytes = line.has_raw() ? line.raw() : line.text();
  if (line.has_time() && IsPlainRecord(view, line.time())) {
    return AppendText(view, line.time(), json);
  }
  AppendJson(line, fields_, json);
}

// Protobuf puts the fields that have a presence of their own after the others where it writes all.
void LineJsonWriter::AppendText(const LineView& line, const google::protobuf::Timestamp& time,
                                std::string* json) {
  absl::StrAppend(json, R"({"sequence":")", line.sequence, "\"");
  const auto append_time = [&] {
    json->append(R"(,"time":")");
    time_.AppendShortest(time, json);
    json->push_back('"');
  };
  if (fields_ == JsonFields::kSet) append_time();
  absl::StrAppend(json, R"(,"stream":")", v1::Stream_Name(line.stream), R"(","ending":")",
                  v1::Ending_Name(line.ending), "\"");
  if (fields_ == JsonFields::kAll) append_time();
  if (line.content == v1::LogLine::kText) {
    json->append(R"(,"text":)");
    AppendJsonText(line.bytes, json);
  } else {
    const absl::string_view raw(line.bytes.data(), line.bytes.size());
    absl::StrAppend(json, R"(,"raw":")", absl::Base64Escape(raw), "\"");
  }
  json->push_back('}');
}

}  // namespace jobtail
