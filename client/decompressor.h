// Lines that came compressed, as the encoding of a LogBatch again.
#ifndef JOBTAIL_CLIENT_DECOMPRESSOR_H_
#define JOBTAIL_CLIENT_DECOMPRESSOR_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "jobtail/v1/log.pb.h"

namespace jobtail::client {

// What a message may hold decompressed, in bytes: what gRPC lets through as it is, and far more
// than any server sends.
inline constexpr size_t kMostDecompressed = size_t{4} << 20;

// Decompresses message after message into memory of its own. Not thread-safe.
class Decompressor {
 public:
  // The encoding of all that `batch` has in `compressed`, in their order; valid until the next
  // call. Nullopt where this program does not know how, or it cannot be, or it is more than
  // kMostDecompressed.
  std::optional<std::string_view> Decompress(const v1::LogBatch& batch);

 private:
  std::unique_ptr<char[]> memory_;
  size_t size_ = 0;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_DECOMPRESSOR_H_
