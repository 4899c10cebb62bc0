// A lock-free ring for the output of signal handlers.
#ifndef JOBTAIL_CAPTURE_SIGNAL_RING_H_
#define JOBTAIL_CAPTURE_SIGNAL_RING_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "capture/sink.h"

namespace jobtail::capture::internal {

// What a thread's signal handlers print, until it can be handed on: a handler may have interrupted
// anything, so that it can neither allocate nor lock.
//
// Written by the owning thread's handlers, which may interrupt one another; read by one thread at a
// time, which may be another one.
class SignalRing {
 public:
  // Adds what was printed in one piece. False if there is no room: then nothing was added.
  bool Add(Stream stream, std::span<const std::string_view> parts);

  bool Empty() const {
    return taken_.load(std::memory_order_relaxed) == complete_.load(std::memory_order_acquire);
  }

  // Moves the oldest text to `space`, which holds at least kMaxText bytes. False if there is none.
  bool Take(Stream* stream, std::span<char> space, std::string_view* text);

  static constexpr size_t kMaxText = 4096;

 private:
  static constexpr uint32_t kCapacity = 16384;  // a power of two
  static constexpr uint32_t kHeader = 3;        // the stream, the text's size in two bytes

  bool Reserve(uint32_t size, uint32_t* at);
  void Complete();
  void Put(uint32_t at, char byte) { bytes_[at % kCapacity] = byte; }
  char Get(uint32_t at) const { return bytes_[at % kCapacity]; }

  // Positions only grow, modulo 2^32.
  std::atomic<uint32_t> reserved_ = 0;
  std::atomic<uint32_t> complete_ = 0;
  std::atomic<uint32_t> taken_ = 0;
  std::atomic<int> writing_ = 0;  // handlers that are in Add, one inside the other
  std::array<char, kCapacity> bytes_;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_SIGNAL_RING_H_
