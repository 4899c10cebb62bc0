// What signal handlers print, kept until it can be delivered.

#include "capture/signal_ring.h"

namespace jobtail::capture::internal {

bool SignalRing::Reserve(uint32_t size, uint32_t* at) {
  *at = reserved_.load(std::memory_order_relaxed);
  do {
    const uint32_t used = *at - taken_.load(std::memory_order_acquire);
    if (size > kCapacity - used) return false;
  } while (!reserved_.compare_exchange_weak(*at, *at + size, std::memory_order_relaxed));
  return true;
}

bool SignalRing::Add(Stream stream, std::span<const std::string_view> parts) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  if (size > kMaxText) return false;
  writing_.fetch_add(1, std::memory_order_relaxed);
  uint32_t at;
  const bool fits = Reserve(kHeader + static_cast<uint32_t>(size), &at);
  if (fits) {
    Put(at++, static_cast<char>(stream));
    Put(at++, static_cast<char>(size & 0xff));
    Put(at++, static_cast<char>(size >> 8));
    for (const std::string_view part : parts) {
      for (const char byte : part) Put(at++, byte);
    }
  }
  // A handler that interrupted this one has added its own after ours: ours must be complete first.
  if (writing_.fetch_sub(1, std::memory_order_relaxed) == 1) Complete();
  return fits;
}

// Never backwards: a handler may come between the two loads, and complete more.
void SignalRing::Complete() {
  uint32_t before = complete_.load(std::memory_order_relaxed);
  const uint32_t now = reserved_.load(std::memory_order_relaxed);
  while (static_cast<int32_t>(now - before) > 0 &&
         !complete_.compare_exchange_weak(before, now, std::memory_order_release)) {
  }
}

bool SignalRing::Take(Stream* stream, std::span<char> space, std::string_view* text) {
  if (Empty()) return false;
  uint32_t at = taken_.load(std::memory_order_relaxed);
  *stream = Stream{static_cast<uint8_t>(Get(at++))};
  size_t size = static_cast<unsigned char>(Get(at++));
  size |= static_cast<size_t>(static_cast<unsigned char>(Get(at++))) << 8;
  for (size_t i = 0; i < size; ++i) space[i] = Get(at++);
  *text = {space.data(), size};
  taken_.store(at, std::memory_order_release);
  return true;
}

}  // namespace jobtail::capture::internal
