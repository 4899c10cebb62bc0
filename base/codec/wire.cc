// Protobuf's encoding, read without protobuf's streams.

#include "base/codec/wire.h"

namespace jobtail {

bool WireReader::ReadLongVarint(uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte >= 0x80) continue;
    const bool is_overlong = byte == 0 && shift > 0;
    const bool is_too_large = shift == 63 && byte > 1;
    return !is_overlong && !is_too_large;
  }
  return false;
}

bool WireReader::SkipValue(uint64_t tag) {
  using google::protobuf::internal::WireFormatLite;
  uint64_t number;
  std::string_view bytes;
  size_t size = 0;
  switch (tag & 7) {
    case WireFormatLite::WIRETYPE_VARINT:
      return ReadVarint(&number);
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
      return ReadBytes(&bytes);
    case WireFormatLite::WIRETYPE_FIXED32:
      size = 4;
      break;
    case WireFormatLite::WIRETYPE_FIXED64:
      size = 8;
      break;
    default:
      return false;  // groups are of another age
  }
  if (size > static_cast<size_t>(end_ - at_)) return false;
  at_ += size;
  return true;
}

}  // namespace jobtail
