// A memory barrier that costs the rare side everything and the frequent side nothing.
#ifndef JOBTAIL_CAPTURE_BARRIER_H_
#define JOBTAIL_CAPTURE_BARRIER_H_

#include <atomic>

namespace jobtail::capture::internal {

// Mutual exclusion between one thread that is in and out all the time and others that come rarely
// needs, on both sides, "say that I am there, then look whether the other one is", in this order.
// That order costs a processor some 5 ns, unless the rare side pays for both: the kernel's
// membarrier(2) makes every running thread of the process pass a full barrier.
//
//   often:   mine.store(true); AsymmetricBarrier::Light(&mine) ...   see ThreadCapture::Enter
//   rarely:  theirs.store(true); AsymmetricBarrier::Heavy(); if (mine.load()) ...
class AsymmetricBarrier {
 public:
  // Before the first use: asks the kernel. Idempotent.
  static void Prepare();

  // Sets `flag` so that it is ordered before what the calling thread reads next, as seen by
  // whoever calls Heavy().
  static void Raise(std::atomic<bool>& flag) {
    if (!IsAvailable()) [[unlikely]] {
      flag.exchange(true, std::memory_order_seq_cst);
      return;
    }
    flag.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  // Clears `flag` after all that the calling thread did before, and before what it reads next.
  static void Lower(std::atomic<bool>& flag) {
    if (!IsAvailable()) [[unlikely]] {
      flag.exchange(false, std::memory_order_seq_cst);
      return;
    }
    flag.store(false, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  // Whether Heavy() orders what other threads do.
  static bool IsAvailable() { return available_.load(std::memory_order_relaxed); }

  // To be preceded by a sequentially consistent store, and followed by such a load.
  static void Heavy();

 private:
  static constinit inline std::atomic<bool> available_ = false;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_BARRIER_H_
