// Cancellation of captured threads (pthread_cancel), kept out of the library and the sink.
#ifndef JOBTAIL_CAPTURE_CANCELLATION_H_
#define JOBTAIL_CAPTURE_CANCELLATION_H_

#include <pthread.h>

#include <atomic>

namespace jobtail::capture::internal {

// While it lives, the calling thread is not cancelled: around what the library does for a thread,
// which would be torn apart, and in destructors, from which no cancellation may come.
class NoCancellation {
 public:
  NoCancellation() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~NoCancellation() { pthread_setcancelstate(before_, nullptr); }
  NoCancellation(const NoCancellation&) = delete;
  NoCancellation& operator=(const NoCancellation&) = delete;

 private:
  int before_;
};

// Whether anybody has called pthread_cancel yet. Until then, nobody pays for it.
class Cancellation {
 public:
  static bool IsInUse() { return in_use_.load(std::memory_order_relaxed); }
  static void Use() { in_use_.store(true, std::memory_order_seq_cst); }

 private:
  static constinit inline std::atomic<bool> in_use_ = false;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_CANCELLATION_H_
