// Protobuf's encoding, read without protobuf's streams.

#include "base/codec/wire.h"

namespace jobtail {

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
