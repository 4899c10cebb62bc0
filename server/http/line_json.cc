// A reader of protobuf's wire format and a writer of its JSON, for one message.
#include "server/http/line_json.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wire_format_lite.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/http/json_text.h"

namespace jobtail::http {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Reads the fields of an encoded message one after the other.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes)
      : bytes_(bytes),
        input_(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  // Moves to the next field. False at the end, or where the bytes are no message.
  bool Next() {
    const uint32_t tag = input_.ReadTag();
    if (tag == 0) return false;
    field_ = WireFormatLite::GetTagFieldNumber(tag);
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        return valid_ = input_.ReadVarint64(&number_);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return valid_ = ReadBytes();
      default:
        return valid_ = WireFormatLite::SkipField(&input_, tag);
    }
  }

  bool valid() { return valid_ && input_.ConsumedEntireMessage(); }
  int field() const { return field_; }
  uint64_t number() const { return number_; }
  std::string_view bytes() const { return value_; }

 private:
  bool ReadBytes() {
    uint32_t size;
    if (!input_.ReadVarint32(&size)) return false;
    const auto begin = static_cast<size_t>(input_.CurrentPosition());
    if (size > bytes_.size() - begin) return false;
    value_ = bytes_.substr(begin, size);
    return input_.Skip(static_cast<int>(size));
  }

  const std::string_view bytes_;
  CodedInputStream input_;
  bool valid_ = true;
  int field_ = 0;
  uint64_t number_ = 0;
  std::string_view value_;
};

bool ParseTime(std::string_view encoded, int64_t* unix_nanos) {
  using google::protobuf::Timestamp;
  *unix_nanos = 0;
  FieldReader reader(encoded);
  while (reader.Next()) {
    const auto number = static_cast<int64_t>(reader.number());
    if (reader.field() == Timestamp::kSecondsFieldNumber) *unix_nanos += number * 1'000'000'000;
    if (reader.field() == Timestamp::kNanosFieldNumber) *unix_nanos += number;
  }
  return reader.valid();
}

// Three, six or nine digits of the second, as many as it takes.
void AppendTime(int64_t unix_nanos, std::string* json) {
  const absl::Time time = absl::FromUnixNanos(unix_nanos);
  const int64_t nanos =
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(absl::ToUnixSeconds(time)));
  absl::StrAppend(json, "\"", absl::FormatTime("%E4Y-%m-%dT%H:%M:%S", time, absl::UTCTimeZone()));
  if (nanos % 1'000'000 == 0) {
    if (nanos != 0) absl::StrAppendFormat(json, ".%03d", nanos / 1'000'000);
  } else if (nanos % 1000 == 0) {
    absl::StrAppendFormat(json, ".%06d", nanos / 1000);
  } else {
    absl::StrAppendFormat(json, ".%09d", nanos);
  }
  json->append("Z\"");
}

bool IsText(const LineView& line) {
  return line.content == v1::LogLine::kText || line.content == v1::LogLine::kRaw;
}

void AppendByLibrary(const LineView& line, std::string* json) {
  v1::LogLine message;
  std::string text;
  if (message.ParseFromArray(line.encoded.data(), static_cast<int>(line.encoded.size())) &&
      google::protobuf::util::MessageToJsonString(message, &text).ok()) {
    json->append(text);
  } else {
    json->append("{}");
  }
}

}  // namespace

bool ParseLine(std::string_view encoded, LineView* line) {
  *line = {};
  line->encoded = encoded;
  FieldReader reader(encoded);
  while (reader.Next()) {
    switch (reader.field()) {
      case v1::LogLine::kSequenceFieldNumber:
        line->sequence = static_cast<int64_t>(reader.number());
        break;
      case v1::LogLine::kTimeFieldNumber:
        if (!ParseTime(reader.bytes(), &line->time_unix_nanos)) return false;
        break;
      case v1::LogLine::kStreamFieldNumber:
        line->stream = static_cast<v1::Stream>(reader.number());
        break;
      case v1::LogLine::kEndingFieldNumber:
        line->ending = static_cast<v1::Ending>(reader.number());
        break;
      default:
        line->content = static_cast<v1::LogLine::ContentCase>(reader.field());
        line->bytes = reader.bytes();
    }
  }
  return reader.valid();
}

void AppendJson(const LineView& line, std::string* json) {
  if (!IsText(line)) return AppendByLibrary(line, json);
  absl::StrAppend(json, "{\"sequence\":\"", line.sequence, "\",\"time\":");
  AppendTime(line.time_unix_nanos, json);
  absl::StrAppend(json, ",\"stream\":\"", v1::Stream_Name(line.stream), "\",\"ending\":\"",
                  v1::Ending_Name(line.ending), "\",");
  if (line.content == v1::LogLine::kText) {
    json->append("\"text\":");
    AppendJsonText(line.bytes, json);
  } else {
    const absl::string_view raw(line.bytes.data(), line.bytes.size());
    absl::StrAppend(json, "\"raw\":\"", absl::Base64Escape(raw), "\"");
  }
  json->push_back('}');
}

}  // namespace jobtail::http
