// The bytes of a batch as a value of the database: as they are or, where that is smaller,
// compressed with LZ4. docs/log-format.md describes them, docs/decisions/0022 says why.
#ifndef JOBTAIL_SERVER_STORE_STORED_VALUE_H_
#define JOBTAIL_SERVER_STORE_STORED_VALUE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/lz4_block.h"
#include "server/log/batch.h"

namespace jobtail {

// Makes values, one after the other, in memory of its own. For one thread.
class ValueEncoder {
 public:
  // The value for `bytes`: `bytes` itself, or something that is valid until the next call.
  std::string_view Encode(std::string_view bytes);
  // The same for the bytes of `batch`, which are not compressed again where somebody has done so,
  // or tried.
  std::string_view Encode(const Batch& batch);

 private:
  std::string_view EncodePlain(std::string_view bytes);
  std::string_view EncodeLz4(std::string_view block, size_t size);
  std::string_view Join(std::string_view header, std::string_view bytes);

  Lz4Encoder encoder_;
  std::unique_ptr<char[]> memory_;
  size_t size_ = 0;
};

// The batch's bytes, a part of `value`, where that has them as they are. Otherwise nullopt.
std::optional<std::string_view> PlainBytes(std::string_view value);

// The batch's bytes compressed, a part of `value`, and their size, where that has them so;
// otherwise nullopt. Whether they can be decompressed is open.
struct CompressedValue {
  std::string_view block;
  size_t size = 0;
};
std::optional<CompressedValue> CompressedBytesOf(std::string_view value);

// The batch's bytes, of a value of any other form than that of PlainBytes. DATA_LOSS if it is none
// that ValueEncoder makes, as one of a form that only newer servers know; the message says which.
absl::StatusOr<SharedBytes> Decompress(std::string_view value);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_STORED_VALUE_H_
