#ifndef JOBTAIL_CAPTURE_SESSION_H_
#define JOBTAIL_CAPTURE_SESSION_H_

#include <errno.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "capture/line_buffer.h"
#include "capture/sink.h"

// Inside the capture library: what the interposed functions, the scopes and the flusher share.

namespace jobtail::capture::internal {

class Session;

// The line buffers of one captured thread. Owned by that thread (by its Scope, or until the
// thread's exit), used by it, by the flusher and by the end of the session, one at a time.
class ThreadCapture {
 public:
  // Registers with the session. If that has ended already, nothing is captured.
  explicit ThreadCapture(std::shared_ptr<Session> session);
  // Hands on what is unfinished.
  ~ThreadCapture();

  ThreadCapture(const ThreadCapture&) = delete;
  ThreadCapture& operator=(const ThreadCapture&) = delete;

  // Takes what the thread printed, in one piece or several that must not be torn apart. False if
  // the session has ended: then nothing was taken. Called by the owning thread alone.
  bool Write(Stream stream, std::span<const std::string_view> parts);

  // Hands on what is unfinished on `stream`. False if the session has ended.
  bool Flush(Stream stream);

  // Hands on what has waited since before `deadline`, without blocking. True if something
  // unfinished remains.
  bool FlushOlderThan(std::chrono::steady_clock::time_point now);

  // Called by the session as it takes the thread in, before anybody else knows of it.
  void Open(Sink* sink) { sink_ = sink; }

  // Hands on what is unfinished and takes nothing more.
  void Close();

  const std::shared_ptr<Session>& session() const { return session_; }

 private:
  // One output stream of the thread.
  struct Channel {
    LineBuffer lines;
    // Whether `lines` holds unfinished text. Only the owning thread ever sets it, so that it need
    // not take the lock to see that there is none.
    std::atomic<bool> unfinished = false;
    // When the flusher first saw the unfinished text that is waiting now; zero if it has not.
    std::chrono::steady_clock::time_point seen{};
  };

  Channel& channel(Stream stream) { return channels_[stream == Stream::kStderr]; }
  void TakeLocked(Stream stream, std::string_view bytes);
  void TakeMoreLocked(const Line& first, std::string_view bytes);
  static void NoteUnfinishedLocked(Channel& channel);
  void FlushLocked(Stream stream);
  bool TryFlushLocked(Stream stream, std::chrono::steady_clock::time_point now);

  const std::shared_ptr<Session> session_;

  std::mutex mutex_;
  Sink* sink_ = nullptr;  // null once closed
  std::array<Channel, 2> channels_;
};

// What one Scope started: the threads it covers. Shared by the scope, those threads and the
// flusher.
class Session {
 public:
  explicit Session(Sink* sink) : sink_(sink) {}

  // Opens the thread, unless the session has ended.
  void Add(ThreadCapture* thread);
  void Remove(ThreadCapture* thread);

  // Closes every thread; waits for calls of the sink that are under way. Idempotent.
  void Close();

  // See ThreadCapture::FlushOlderThan. Skips the session, returning true, where it would have to
  // wait.
  bool FlushOlderThan(std::chrono::steady_clock::time_point now);

 private:
  std::mutex mutex_;
  Sink* sink_;  // null once closed
  std::vector<ThreadCapture*> threads_;
};

// Where this thread's output goes; null for the real descriptors. Trivial, so that it can be read
// at any moment of a thread's life and in signal handlers.
extern constinit thread_local ThreadCapture* current_thread;

// While it lives, this thread prints to the real descriptors: around everything that the library
// itself does, so that what it calls cannot come back to it.
class Bypass {
 public:
  Bypass() : saved_(current_thread), errno_(errno) { current_thread = nullptr; }
  ~Bypass() {
    current_thread = saved_;
    errno = errno_;  // printing does not change it, as people have come to expect
  }
  Bypass(const Bypass&) = delete;
  Bypass& operator=(const Bypass&) = delete;

 private:
  ThreadCapture* const saved_;
  const int errno_;
};

// For the interposed functions: true if this thread is captured and its session took the bytes.
inline bool Take(Stream stream, std::span<const std::string_view> parts) {
  ThreadCapture* thread = current_thread;
  if (!thread) [[likely]]
    return false;
  if (thread->Write(stream, parts)) return true;
  current_thread = nullptr;  // the session has ended
  return false;
}

inline bool Take(Stream stream, std::string_view bytes) { return Take(stream, {&bytes, 1}); }

inline bool Flush(Stream stream) {
  ThreadCapture* thread = current_thread;
  return thread && thread->Flush(stream);
}

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_SESSION_H_
