// The line buffers of one captured thread, and who may use them when.
#ifndef JOBTAIL_CAPTURE_THREAD_CAPTURE_H_
#define JOBTAIL_CAPTURE_THREAD_CAPTURE_H_

#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "capture/barrier.h"
#include "capture/channel.h"
#include "capture/clock.h"
#include "capture/current.h"
#include "capture/signal_ring.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {

class Session;

// The line buffers of one captured thread. Owned by that thread (by its Scope, its Entered, or
// until its exit) and used by it; now and then by the flusher and by the end of the session. These
// have to ask (Hold), so that the owner can come and go without an atomic instruction.
class ThreadCapture {
 public:
  // Registers with the session. If that has ended already, nothing is captured.
  explicit ThreadCapture(std::shared_ptr<Session> session);
  // Hands on what is unfinished.
  ~ThreadCapture();

  ThreadCapture(const ThreadCapture&) = delete;
  ThreadCapture& operator=(const ThreadCapture&) = delete;

  // Ends the capture of the calling thread, its owner, which goes on with `outer`.
  static void End(std::unique_ptr<ThreadCapture> thread, ThreadCapture* outer);

  // In the child of a fork: what was captured before is the parent's business.
  static void AfterForkInChild() { ++forks_; }
  bool IsFromBeforeFork() const { return fork_ != forks_; }

  // --- For the owning thread

  // Takes what the thread printed, in one piece or several that must not be torn apart. False if
  // it is to go to the real descriptors: the session has ended, the sink itself prints, or it is to
  // go both ways. Async-signal-safe in a signal handler.
  bool Take(Stream stream, const char* data, size_t size);
  bool Take(Stream stream, std::span<const std::string_view> parts);

  // Hands on what is unfinished on `stream`. False if the session has ended.
  bool Flush(Stream stream);

  // Hands on what the session's child processes have printed by now.
  void TakeFromChildren();

  // The owner will never come out of the library, but goes on elsewhere: see LeaveHandlers.
  void Abandon();

  // Whether the library or the sink is at work for this thread: what it prints is its own.
  bool IsInside() const { return inside_.load(std::memory_order_relaxed); }

  Sink& sink() const { return *sink_.load(std::memory_order_relaxed); }
  bool IsOpen() const { return sink_.load(std::memory_order_acquire); }
  Session& session() const { return *session_; }
  const std::shared_ptr<Session>& shared_session() const { return session_; }

  // --- For others

  // Hands on what has waited for kPartialDelay, without blocking. True if something remains. To be
  // preceded by a heavy barrier.
  bool FlushOlderThan(std::chrono::steady_clock::time_point now);

  // Whether `thread` is the owner.
  bool IsOf(pthread_t thread) const { return pthread_equal(owner_, thread) != 0; }

  // True if the owner is inside, and will be cancelled (pthread_cancel) when it leaves. To be
  // preceded by Cancellation::Use() and a heavy barrier.
  bool CancelWhenOutside();

  // Called by the session as it takes the thread in, before anybody else knows of it.
  void Open(Sink* sink) { sink_.store(sink, std::memory_order_relaxed); }

  // Hands on what is unfinished and takes nothing more; waits for a call of the sink that is under
  // way. On any thread.
  void Close();

 private:
  Channel& channel(Stream stream) { return channels_[stream == Stream::kStderr]; }
  bool Enter();
  bool EnterToTake();
  void Leave();
  void LetOthersFirst();
  void HoldCancellation();
  void ReleaseCancellation();
  void PrintLeftovers();
  void TakePart(Channel& channel, const char* data, size_t size);
  void GiveLine(Channel& channel, std::string_view text);
  void TakeLines(Channel& channel, std::string_view bytes);
  bool TakeFromHandlers(bool wait);
  bool TakeLate(bool wait);
  bool TakeLateLine(Channel& channel, bool wait);
  bool TakeInHandler(Stream stream, std::span<const std::string_view> parts);
  bool Hold(bool wait);
  void Release();
  void CloseInside();

  static constinit inline unsigned forks_ = 0;

  const std::shared_ptr<Session> session_;
  const pthread_t owner_ = pthread_self();
  const unsigned fork_ = forks_;
  // Null once closed. Written by who holds; read by a signal handler at any time.
  std::atomic<Sink*> sink_ = nullptr;

  // The owner is inside if inside_ is set and wanted_ is not. Others take mutex_, set wanted_ and
  // wait until inside_ is clear.
  std::atomic<bool> inside_ = false;
  std::atomic<bool> wanted_ = false;
  // The owner cannot be cancelled while it is inside, and what it was before.
  bool holds_cancellation_ = false;
  int cancel_state_ = 0;
  // It is to be cancelled once it is outside.
  std::atomic<bool> cancel_ = false;
  // A handler has printed.
  std::atomic<bool> late_waits_ = false;
  std::mutex mutex_;

  TickClock clock_;
  std::array<Channel, 2> channels_{Channel(Stream::kStdout), Channel(Stream::kStderr)};

  SignalRing from_handlers_;
  // What came from there and has not been handed on, because the sink would have blocked.
  Stream late_stream_{};
  std::string late_;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_THREAD_CAPTURE_H_
