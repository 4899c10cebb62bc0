#ifndef JOBTAIL_CAPTURE_FLUSHER_H_
#define JOBTAIL_CAPTURE_FLUSHER_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace jobtail::capture::internal {

class Session;

// Hands on text that has waited kPartialDelay for its terminator, for all sessions, on one thread
// that exists from the first unfinished line on and sleeps while there is none. Thread-safe. Never
// destroyed.
class Flusher {
 public:
  static Flusher& Get();

  void Add(std::shared_ptr<Session> session);
  void Remove(const Session* session);

  // Tells that somewhere a line is unfinished.
  static void Wake() {
    if (!awake_.load(std::memory_order_acquire)) [[unlikely]]
      Get().WakeSlow();
  }

 private:
  Flusher() = default;
  void WakeSlow();
  void Run();
  bool FlushAll();

  static constinit inline std::atomic<bool> awake_ = false;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool started_ = false;
  std::vector<std::shared_ptr<Session>> sessions_;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_FLUSHER_H_
