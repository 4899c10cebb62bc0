// Memory for decompressed batches, used again.
#ifndef JOBTAIL_SERVER_STORE_BATCH_MEMORY_H_
#define JOBTAIL_SERVER_STORE_BATCH_MEMORY_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace jobtail {

// Room for one batch. Where it is about as large as most are, it comes from the last ones that were
// let go of, a few of which are kept for all: the processor's cache still has them, and the kernel
// need not clear pages. Owned by whoever reads the batch; movable, and empty once moved from.
class BatchMemory {
 public:
  BatchMemory() = default;
  explicit BatchMemory(size_t size);
  ~BatchMemory();

  BatchMemory(BatchMemory&& other) noexcept { *this = std::move(other); }
  BatchMemory& operator=(BatchMemory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    return *this;
  }

  char* bytes() { return bytes_.get(); }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;  // not cleared
  size_t size_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_BATCH_MEMORY_H_
