#include "server/log/record.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <array>
#include <limits>

namespace jobtail {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr uint8_t kElementTag = WireFormatLite::MakeTag(v1::LogBatch::kLinesFieldNumber,
                                                        WireFormatLite::WIRETYPE_LENGTH_DELIMITED);

constexpr uint8_t Tag(int field, WireFormatLite::WireType type) {
  return static_cast<uint8_t>(WireFormatLite::MakeTag(field, type));
}

// Always from 0 up, before 1970 as well.
int64_t NanosOfSecond(int64_t unix_nanos) {
  const int64_t nanos = unix_nanos % kNanosPerSecond;
  return nanos < 0 ? nanos + kNanosPerSecond : nanos;
}

bool IsUtf8(std::string_view text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

// A few encoded fields: everything of a LogLine but the text's bytes fits.
class Fields {
 public:
  void Varint(int field, uint64_t value) {
    Byte(Tag(field, WireFormatLite::WIRETYPE_VARINT));
    Advance(CodedOutputStream::WriteVarint64ToArray(value, end()));
  }

  void VarintUnlessZero(int field, uint64_t value) {
    if (value != 0) Varint(field, value);
  }

  void Length(int field, size_t size) {
    Byte(Tag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    Advance(CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(size), end()));
  }

  void Message(int field, const Fields& message) {
    Length(field, message.size_);
    Advance(std::copy_n(message.bytes_.begin(), message.size_, end()));
  }

  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }

 private:
  uint8_t* end() { return bytes_.data() + size_; }
  void Byte(uint8_t byte) { bytes_[size_++] = byte; }
  void Advance(const uint8_t* end) { size_ = end - bytes_.data(); }

  std::array<uint8_t, 64> bytes_;
  size_t size_ = 0;
};

Fields EncodeTime(int64_t unix_nanos) {
  using google::protobuf::Timestamp;
  const int64_t nanos = NanosOfSecond(unix_nanos);
  Fields time;
  time.VarintUnlessZero(Timestamp::kSecondsFieldNumber, (unix_nanos - nanos) / kNanosPerSecond);
  time.VarintUnlessZero(Timestamp::kNanosFieldNumber, nanos);
  return time;
}

}  // namespace

int64_t PrintedBytes(const TextLine& line) {
  const bool terminated = line.ending == v1::ENDING_LF || line.ending == v1::ENDING_CR;
  return static_cast<int64_t>(line.text.size()) + (terminated ? 1 : 0);
}

void EncodeLine(int64_t sequence, int64_t time_unix_nanos, const TextLine& line,
                std::string* batch) {
  const int content =
      IsUtf8(line.text) ? v1::LogLine::kTextFieldNumber : v1::LogLine::kRawFieldNumber;
  Fields fields;
  fields.Varint(v1::LogLine::kSequenceFieldNumber, sequence);
  fields.Message(v1::LogLine::kTimeFieldNumber, EncodeTime(time_unix_nanos));
  fields.Varint(v1::LogLine::kStreamFieldNumber, line.stream);
  fields.Varint(v1::LogLine::kEndingFieldNumber, line.ending);
  fields.Length(content, line.text.size());
  Fields element;
  element.Length(v1::LogBatch::kLinesFieldNumber, fields.view().size() + line.text.size());
  batch->append(element.view()).append(fields.view()).append(line.text);
}

void EncodeLine(const v1::LogLine& line, std::string* batch) {
  Fields element;
  element.Length(v1::LogBatch::kLinesFieldNumber, line.ByteSizeLong());
  batch->append(element.view());
  line.AppendToString(batch);
}

v1::LogLine GapRecord(int64_t first, int64_t last, v1::GapReason reason, int64_t time_unix_nanos) {
  v1::LogLine record;
  record.set_sequence(last);
  *record.mutable_time() = FromUnixNanos(time_unix_nanos);
  record.mutable_gap()->set_first(first);
  record.mutable_gap()->set_last(last);
  record.mutable_gap()->set_reason(reason);
  return record;
}

v1::LogLine ResultRecord(int64_t sequence, const v1::RunResult& result, int64_t time_unix_nanos) {
  v1::LogLine record;
  record.set_sequence(sequence);
  *record.mutable_time() = FromUnixNanos(time_unix_nanos);
  *record.mutable_result() = result;
  return record;
}

bool RecordWalker::Next() {
  if (rest_.empty() || static_cast<uint8_t>(rest_.front()) != kElementTag) return false;
  CodedInputStream input(reinterpret_cast<const uint8_t*>(rest_.data()),
                         static_cast<int>(rest_.size()));
  uint32_t size;
  input.Skip(1);
  if (!input.ReadVarint32(&size)) return false;
  const size_t header = input.CurrentPosition();
  if (size > rest_.size() - header) return false;
  element_ = rest_.substr(0, header + size);
  payload_ = element_.substr(header);
  rest_.remove_prefix(element_.size());
  return true;
}

int64_t SequenceOf(std::string_view line) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(line.data()),
                         static_cast<int>(line.size()));
  uint64_t sequence;
  const bool is_record =
      input.ReadTag() == Tag(v1::LogLine::kSequenceFieldNumber, WireFormatLite::WIRETYPE_VARINT) &&
      input.ReadVarint64(&sequence);
  return is_record ? static_cast<int64_t>(sequence) : 0;
}

int64_t TimeOf(std::string_view line) {
  v1::LogLine parsed;
  if (!parsed.ParseFromArray(line.data(), static_cast<int>(line.size()))) return 0;
  return ToUnixNanos(parsed.time());
}

int64_t TimeOfFirst(std::string_view batch) {
  RecordWalker walker(batch);
  return walker.Next() ? TimeOf(walker.payload()) : 0;
}

int64_t ToUnixNanos(const google::protobuf::Timestamp& time) {
  constexpr int64_t kMaxSeconds = std::numeric_limits<int64_t>::max() / kNanosPerSecond - 1;
  if (time.seconds() > kMaxSeconds) return std::numeric_limits<int64_t>::max();
  if (time.seconds() < -kMaxSeconds) return std::numeric_limits<int64_t>::min();
  return time.seconds() * kNanosPerSecond + time.nanos();
}

google::protobuf::Timestamp FromUnixNanos(int64_t unix_nanos) {
  const int64_t nanos = NanosOfSecond(unix_nanos);
  google::protobuf::Timestamp time;
  time.set_seconds((unix_nanos - nanos) / kNanosPerSecond);
  time.set_nanos(static_cast<int32_t>(nanos));
  return time;
}

}  // namespace jobtail
