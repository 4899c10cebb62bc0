// Blocks of LZ4, without a frame: whoever keeps one keeps the size of what it stands for.
#ifndef JOBTAIL_BASE_LZ4_BLOCK_H_
#define JOBTAIL_BASE_LZ4_BLOCK_H_

#include <cstddef>
#include <memory>
#include <string_view>

namespace jobtail {

// What may be in a block, in bytes: far more than a batch of a log ever has.
inline constexpr size_t kMostLz4Bytes = size_t{256} << 20;

// Makes blocks, one after the other, in memory of its own. Not thread-safe.
class Lz4Encoder {
 public:
  // The block for `bytes`, valid until the next call; empty where it would not be an eighth smaller
  // than they are, or where there are more than kMostLz4Bytes.
  std::string_view Encode(std::string_view bytes);

 private:
  std::unique_ptr<char[]> memory_;
  size_t size_ = 0;
};

// Whether a block of so many bytes can stand for `size`: what claims more need not be given the
// memory.
bool CanBeLz4Of(size_t block_size, size_t size);

// Writes to `bytes` the `size` bytes that `block` stands for. False, with whatever in `bytes`, if
// it stands for anything else. For any block, from whomever.
bool DecodeLz4(std::string_view block, char* bytes, size_t size);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_LZ4_BLOCK_H_
