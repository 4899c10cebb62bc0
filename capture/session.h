// The shared state of one scope: the threads and child processes that it covers.
#ifndef JOBTAIL_CAPTURE_SESSION_H_
#define JOBTAIL_CAPTURE_SESSION_H_

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "capture/redirection.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {

class ChildOutput;
class ThreadCapture;

// What one Scope started: the threads and processes it covers. Shared by the scope, those threads,
// the flusher and the pump.
class Session {
 public:
  Session(Sink* sink, bool child_processes) : child_processes_(child_processes), sink_(sink) {}

  // Whether child processes are captured, too.
  bool child_processes() const { return child_processes_; }

  // Opens the thread, unless the session has ended.
  void Add(ThreadCapture* thread);
  void Remove(ThreadCapture* thread);

  // The same for a process.
  void Add(const std::shared_ptr<ChildOutput>& child);
  void Remove(const ChildOutput* child);

  bool HasChildren() const { return has_children_.load(std::memory_order_relaxed); }
  // Hands on what child processes have printed by now. May block.
  void TakeFromChildren();

  // Where stdout and stderr lead after the session's threads have redirected them.
  Redirection& redirection() { return redirection_; }
  bool HasRedirections() const { return redirection_.Any(); }

  // Closes every thread and process; waits for calls of the sink that are under way. Idempotent.
  void Close();

  // Whether Close() has begun.
  bool HasEnded() const { return has_ended_.load(std::memory_order_acquire); }

  // See ThreadCapture.
  bool CancelWhenOutside(pthread_t thread);

  // See ThreadCapture::FlushOlderThan. Skips the session, returning true, where it would have to
  // wait.
  bool FlushOlderThan(std::chrono::steady_clock::time_point now);

 private:
  std::vector<std::shared_ptr<ChildOutput>> children();

  const bool child_processes_;
  std::atomic<bool> has_ended_ = false;
  std::mutex mutex_;
  Sink* sink_;  // null once closed
  std::vector<ThreadCapture*> threads_;

  // Never held while something else is waited for.
  std::mutex children_mutex_;
  std::vector<std::shared_ptr<ChildOutput>> children_;
  std::atomic<bool> has_children_ = false;

  Redirection redirection_;
};

// Prints to the real descriptor. Async-signal-safe.
void WriteToReal(Stream stream, std::string_view text);

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_SESSION_H_
