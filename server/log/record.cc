// The encoding of records, without making messages of them.
#include "server/log/record.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/utf8.h"

namespace jobtail {
namespace {

using google::protobuf::internal::WireFormatLite;
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

// Each writes at `to` and returns the end.

uint8_t* WriteVarint(int field, uint64_t value, uint8_t* to) {
  *to++ = Tag(field, WireFormatLite::WIRETYPE_VARINT);
  return CodedOutputStream::WriteVarint64ToArray(value, to);
}

uint8_t* WriteLength(int field, size_t size, uint8_t* to) {
  *to++ = Tag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(size), to);
}

uint8_t* WriteTime(int field, int64_t unix_nanos, uint8_t* to) {
  using google::protobuf::Timestamp;
  const int64_t nanos = NanosOfSecond(unix_nanos);
  const int64_t seconds = (unix_nanos - nanos) / kNanosPerSecond;
  uint8_t* const begin = WriteLength(field, 0, to);
  uint8_t* end = begin;
  if (seconds != 0) end = WriteVarint(Timestamp::kSecondsFieldNumber, seconds, end);
  if (nanos != 0) end = WriteVarint(Timestamp::kNanosFieldNumber, nanos, end);
  begin[-1] = static_cast<uint8_t>(end - begin);  // far less than what takes a second byte
  return end;
}

// The tag and length of an element of a LogBatch of `size` bytes, written so that they end at
// `end`. Returns where they begin.
uint8_t* WriteElementBefore(uint8_t* end, size_t size) {
  uint8_t* const begin = end - CodedOutputStream::VarintSize32(static_cast<uint32_t>(size)) - 1;
  WriteLength(v1::LogBatch::kLinesFieldNumber, size, begin);
  return begin;
}

// For every line that is sent: without the library's stream, which takes longer to set up than to
// use. Each removes what it reads from the front of `bytes`; false if it is not there.

bool TakeTag(uint8_t tag, std::string_view* bytes) {
  if (bytes->empty() || static_cast<uint8_t>(bytes->front()) != tag) return false;
  bytes->remove_prefix(1);
  return true;
}

bool TakeVarint(std::string_view* bytes, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

constexpr size_t kMaxElementHeader = 1 + 5;
// Everything of an element but its text: numbers of at most 10 bytes, each with a tag.
constexpr size_t kMaxFields = kMaxElementHeader + 8 * 11;

std::string_view View(const uint8_t* begin, const uint8_t* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
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
  std::array<uint8_t, kMaxFields> bytes;
  uint8_t* const fields = bytes.data() + kMaxElementHeader;
  uint8_t* end = WriteVarint(v1::LogLine::kSequenceFieldNumber, sequence, fields);
  end = WriteTime(v1::LogLine::kTimeFieldNumber, time_unix_nanos, end);
  end = WriteVarint(v1::LogLine::kStreamFieldNumber, line.stream, end);
  end = WriteVarint(v1::LogLine::kEndingFieldNumber, line.ending, end);
  end = WriteLength(content, line.text.size(), end);
  const size_t size = static_cast<size_t>(end - fields) + line.text.size();
  batch->append(View(WriteElementBefore(fields, size), end)).append(line.text);
}

void EncodeLine(const v1::LogLine& line, std::string* batch) {
  std::array<uint8_t, kMaxElementHeader> bytes;
  uint8_t* const end = bytes.data() + bytes.size();
  batch->append(View(WriteElementBefore(end, line.ByteSizeLong()), end));
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
  std::string_view rest = rest_;
  uint64_t size;
  if (!TakeTag(kElementTag, &rest) || !TakeVarint(&rest, &size) || size > rest.size()) return false;
  payload_ = rest.substr(0, size);
  element_ = {rest_.data(), static_cast<size_t>(payload_.end() - rest_.begin())};
  rest_.remove_prefix(element_.size());
  return true;
}

int64_t SequenceOf(std::string_view line) {
  constexpr uint8_t kTag = Tag(v1::LogLine::kSequenceFieldNumber, WireFormatLite::WIRETYPE_VARINT);
  uint64_t sequence;
  const bool is_record = TakeTag(kTag, &line) && TakeVarint(&line, &sequence);
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
