// The background thread that hands on unfinished lines which have waited long enough.
#ifndef JOBTAIL_CAPTURE_FLUSHER_H_
#define JOBTAIL_CAPTURE_FLUSHER_H_

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace jobtail::capture::internal {

class Session;

// Hands on text that has waited kPartialDelay for its terminator, and what signal handlers printed,
// for all sessions, on one thread that exists from the first session on and sleeps while there is
// nothing to do. Thread-safe. Never destroyed.
class Flusher {
 public:
  static Flusher& Get();

  // Starts the thread if need be.
  void Add(std::shared_ptr<Session> session);
  void Remove(const Session* session);

  // Tells that somewhere a line is unfinished. Async-signal-safe.
  static void Wake() {
    if (!awake_.load(std::memory_order_acquire)) [[unlikely]]
      WakeSlow();
  }

  // See ThreadCapture: true if `thread` is in the library or its sink now, and will be cancelled
  // when it leaves.
  bool CancelWhenOutside(pthread_t thread);

  // Around fork(): the child has the caller's thread alone, and begins anew. It neither allocates
  // nor frees, for the heap may have been in use by threads that are gone.
  void BeforeFork();
  void AfterForkInParent();
  void AfterForkInChild();

 private:
  Flusher();
  static void WakeSlow();
  void Run();
  bool FlushAll();
  std::vector<std::shared_ptr<Session>> Copy();

  static constinit inline std::atomic<bool> awake_ = false;
  sem_t woken_;
  std::mutex mutex_;
  bool started_ = false;
  using Sessions = std::vector<std::shared_ptr<Session>>;
  Sessions* sessions_ = new Sessions;
  Sessions* childs_ = nullptr;  // made by a fork, for the child
};

// Starts a detached thread that belongs to the library: never captured, and without the process's
// signals. Throws std::system_error. Nothing is allocated for it that would be lost if the process
// ended before the thread has begun.
void StartThread(void* (*body)(void*), void* argument);

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_FLUSHER_H_
