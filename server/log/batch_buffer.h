// The memory in which a batch grows.
#ifndef JOBTAIL_SERVER_LOG_BATCH_BUFFER_H_
#define JOBTAIL_SERVER_LOG_BATCH_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace jobtail {

// Bytes that are appended in place: whoever appends asks for room, writes there and says how much
// it was, where a std::string would clear the room first. Movable, and empty once moved from; not
// thread-safe.
class BatchBuffer {
 public:
  BatchBuffer() = default;
  BatchBuffer(BatchBuffer&& other) noexcept { *this = std::move(other); }
  BatchBuffer& operator=(BatchBuffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  // Where at least `room` bytes can be written, at the end. Valid until the next call.
  char* Room(size_t room) {
    if (capacity_ - size_ < room) Reserve(std::max(size_ + room, 2 * capacity_));
    return bytes_.get() + size_;
  }
  // The bytes end at `end` now, in the room that was asked for.
  void EndAt(const char* end) { size_ = static_cast<size_t>(end - bytes_.get()); }

  // Has memory for `capacity` bytes and no more, if they have room in it.
  void Reserve(size_t capacity) {
    if (capacity < size_ || capacity == capacity_) return;
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BATCH_BUFFER_H_
