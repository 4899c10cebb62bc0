#include "client/line_view.h"

#include <google/protobuf/wire_format_lite.h>

#include <cstddef>

namespace jobtail::client {
namespace {

using google::protobuf::internal::WireFormatLite;
using v1::LogLine;

constexpr uint64_t Varint(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
}

constexpr uint64_t Bytes(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

// Reads an encoded message from front to back. Each function returns false if that is not there.
// For every line that comes: the library's CodedInputStream looks up its position and its limits
// for each field. Unlike that it takes tags and lengths of up to ten bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool AtEnd() const { return at_ == end_; }

  bool ReadVarint(uint64_t* value) {
    if (at_ == end_ || static_cast<unsigned char>(*at_) >= 0x80) return ReadLongVarint(value);
    *value = static_cast<unsigned char>(*at_++);
    return true;
  }

  bool ReadBytes(std::string_view* bytes) {
    uint64_t size;
    if (!ReadVarint(&size) || size > static_cast<size_t>(end_ - at_)) return false;
    *bytes = {at_, static_cast<size_t>(size)};
    at_ += size;
    return true;
  }

 private:
  bool ReadLongVarint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

template <typename Enum>
bool ReadEnum(Reader* reader, Enum* value) {
  uint64_t number;
  if (!reader->ReadVarint(&number)) return false;
  *value = static_cast<Enum>(number);
  return true;
}

bool ReadField(uint64_t tag, Reader* reader, LineView* line) {
  switch (tag) {
    case Varint(LogLine::kSequenceFieldNumber): {
      uint64_t sequence;
      if (!reader->ReadVarint(&sequence)) return false;
      line->sequence = static_cast<int64_t>(sequence);
      return true;
    }
    case Bytes(LogLine::kTimeFieldNumber):
      // Of two, the library merges the fields.
      return line->encoded_time.data() == nullptr && reader->ReadBytes(&line->encoded_time);
    case Varint(LogLine::kStreamFieldNumber):
      return ReadEnum(reader, &line->stream);
    case Varint(LogLine::kEndingFieldNumber):
      return ReadEnum(reader, &line->ending);
    case Bytes(LogLine::kTextFieldNumber):
    case Bytes(LogLine::kRawFieldNumber):
      return reader->ReadBytes(&line->text);
    default:
      return false;
  }
}

bool ReadLine(std::string_view bytes, LineView* line) {
  Reader reader(bytes);
  while (!reader.AtEnd()) {
    uint64_t tag;
    if (!reader.ReadVarint(&tag) || !ReadField(tag, &reader, line)) return false;
  }
  return line->sequence > 0 && line->text.data() != nullptr;
}

}  // namespace

google::protobuf::Timestamp LineView::time() const {
  google::protobuf::Timestamp time;
  time.ParseFromArray(encoded_time.data(), static_cast<int>(encoded_time.size()));
  return time;
}

bool ViewLines(std::string_view batch, std::vector<LineView>* lines) {
  Reader reader(batch);
  while (!reader.AtEnd()) {
    uint64_t tag;
    std::string_view line;
    if (!reader.ReadVarint(&tag) || tag != Bytes(v1::LogBatch::kLinesFieldNumber)) return false;
    if (!reader.ReadBytes(&line) || !ReadLine(line, &lines->emplace_back())) return false;
  }
  return true;
}

}  // namespace jobtail::client
