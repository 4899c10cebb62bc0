// The wire format of protobuf: field tags, and a reader of encoded messages that copies nothing.
#ifndef JOBTAIL_BASE_CODEC_WIRE_H_
#define JOBTAIL_BASE_CODEC_WIRE_H_

#include <google/protobuf/wire_format_lite.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jobtail {

// The tags of fields, as they stand before their values.
constexpr uint32_t VarintTag(int field) {
  using google::protobuf::internal::WireFormatLite;
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
}
constexpr uint32_t BytesTag(int field) {
  using google::protobuf::internal::WireFormatLite;
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

// Reads an encoded protobuf message from front to back, without a copy. Refers to the bytes.
//
// For every line that is sent or received: protobuf's CodedInputStream takes longer to set up than
// this to use. It is stricter than that, too: a varint in more bytes than it takes, which no
// encoder writes, is none.
//
// Each function removes what it reads from the front. False if that is not there: then the reader
// is of no further use.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool AtEnd() const { return at_ == end_; }

  bool ReadVarint(uint64_t* value) {
    if (at_ == end_ || static_cast<unsigned char>(*at_) >= 0x80) return ReadLongVarint(value);
    *value = static_cast<unsigned char>(*at_++);
    return true;
  }

  // Reads the tag of a field with a number up to 15, if it comes next. False, having removed
  // nothing, if something else does.
  bool ReadTag(uint32_t tag) {
    if (at_ == end_ || static_cast<unsigned char>(*at_) != tag) return false;
    ++at_;
    return true;
  }

  bool ReadBytes(std::string_view* bytes) {
    uint64_t size;
    if (!ReadVarint(&size) || size > static_cast<size_t>(end_ - at_)) return false;
    *bytes = {at_, static_cast<size_t>(size)};
    at_ += size;
    return true;
  }

  // Skips the value of a field that is not known, whose tag has been read.
  bool SkipValue(uint64_t tag);

  // Where the reader stands.
  const char* position() const { return at_; }

 private:
  bool ReadLongVarint(uint64_t* value) {
    uint64_t read = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      read |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte >= 0x80) continue;
      *value = read;
      const bool is_overlong = byte == 0 && shift > 0;
      const bool is_too_large = shift == 63 && byte > 1;
      return !is_overlong && !is_too_large;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CODEC_WIRE_H_
