#include "client/line_view.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace jobtail::client {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using v1::LogLine;

constexpr uint32_t Varint(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
}

constexpr uint32_t Bytes(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

bool ReadBytes(CodedInputStream* input, std::string_view* bytes) {
  uint32_t size;
  if (!input->ReadVarint32(&size)) return false;
  const void* data = nullptr;
  int available = 0;
  input->GetDirectBufferPointerInline(&data, &available);
  if (size > static_cast<uint32_t>(available)) return false;
  *bytes = {static_cast<const char*>(data), size};
  return input->Skip(static_cast<int>(size));
}

template <typename Enum>
bool ReadEnum(CodedInputStream* input, Enum* value) {
  uint32_t number;
  if (!input->ReadVarint32(&number)) return false;
  *value = static_cast<Enum>(number);
  return true;
}

bool ReadField(uint32_t tag, CodedInputStream* input, LineView* line) {
  switch (tag) {
    case Varint(LogLine::kSequenceFieldNumber): {
      uint64_t sequence;
      if (!input->ReadVarint64(&sequence)) return false;
      line->sequence = static_cast<int64_t>(sequence);
      return true;
    }
    case Bytes(LogLine::kTimeFieldNumber):
      return ReadBytes(input, &line->encoded_time);
    case Varint(LogLine::kStreamFieldNumber):
      return ReadEnum(input, &line->stream);
    case Varint(LogLine::kEndingFieldNumber):
      return ReadEnum(input, &line->ending);
    case Bytes(LogLine::kTextFieldNumber):
    case Bytes(LogLine::kRawFieldNumber):
      return ReadBytes(input, &line->text);
    default:
      return false;
  }
}

bool ReadLine(CodedInputStream* input, LineView* line) {
  uint32_t size;
  if (!input->ReadVarint32(&size)) return false;
  const int end = input->CurrentPosition() + static_cast<int>(size);
  while (input->CurrentPosition() < end) {
    if (!ReadField(input->ReadTagNoLastTag(), input, line)) return false;
  }
  return input->CurrentPosition() == end && line->sequence > 0 && line->text.data() != nullptr;
}

}  // namespace

google::protobuf::Timestamp LineView::time() const {
  google::protobuf::Timestamp time;
  time.ParseFromArray(encoded_time.data(), static_cast<int>(encoded_time.size()));
  return time;
}

bool ViewLines(std::string_view batch, std::vector<LineView>* lines) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(batch.data()),
                         static_cast<int>(batch.size()));
  const auto size = static_cast<int>(batch.size());
  while (input.CurrentPosition() < size) {
    if (input.ReadTagNoLastTag() != Bytes(v1::LogBatch::kLinesFieldNumber)) return false;
    if (!ReadLine(&input, &lines->emplace_back())) return false;
  }
  return true;
}

}  // namespace jobtail::client
