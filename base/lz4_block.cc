// liblz4's blocks.
#include "base/lz4_block.h"

#include <lz4.h>

#include <utility>

namespace jobtail {
namespace {

// A byte of LZ4 stands for at most so many.
constexpr size_t kMostGain = 255;

}  // namespace

std::string_view Lz4Encoder::Encode(std::string_view bytes) {
  if (bytes.size() > kMostLz4Bytes) return {};
  const size_t room = bytes.size() - bytes.size() / 8;
  if (size_ < room) {
    memory_ = std::make_unique_for_overwrite<char[]>(room);
    size_ = room;
  }
  const int size = LZ4_compress_default(bytes.data(), memory_.get(), static_cast<int>(bytes.size()),
                                        static_cast<int>(room));
  return {memory_.get(), static_cast<size_t>(size)};
}

bool CanBeLz4Of(size_t block_size, size_t size) {
  return size <= kMostLz4Bytes && size / kMostGain <= block_size;
}

bool DecodeLz4(std::string_view block, char* bytes, size_t size) {
  if (block.size() > kMostLz4Bytes || size > kMostLz4Bytes) return false;
  const int decoded = LZ4_decompress_safe(block.data(), bytes, static_cast<int>(block.size()),
                                          static_cast<int>(size));
  return std::cmp_equal(decoded, size);
}

}  // namespace jobtail
