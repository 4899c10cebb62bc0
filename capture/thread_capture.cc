// A captured thread: its buffers and who may use them.

#include "capture/thread_capture.h"

#include <cstdlib>
#include <utility>

#include "capture/cancellation.h"
#include "capture/flusher.h"
#include "capture/handler_frame.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {

constinit bool captures_to_the_end = false;
constinit thread_local Current current __attribute__((tls_model("initial-exec")));

ThreadCapture::ThreadCapture(std::shared_ptr<Session> session) : session_(std::move(session)) {
  session_->Add(this);
}

ThreadCapture::~ThreadCapture() {
  const NoCancellation no_cancellation;
  Close();
  session_->Remove(this);
  if (!from_handlers_.Empty()) PrintLeftovers();
}

// A handler came while the session was closed.
void ThreadCapture::PrintLeftovers() {
  late_.resize(SignalRing::kMaxText);
  Stream stream;
  std::string_view text;
  while (from_handlers_.Take(&stream, late_, &text)) WriteToReal(stream, text);
}

void ThreadCapture::End(std::unique_ptr<ThreadCapture> thread, ThreadCapture* outer) {
  if (thread->IsFromBeforeFork()) {
    // Its locks may be held by threads that are gone, and its unfinished line is not ours.
    static_cast<void>(thread.release());
    current.thread = nullptr;
    return;
  }
  if (!pthread_equal(thread->owner_, pthread_self())) {
    WriteToReal(Stream::kStderr,
                "jobtail capture: a Scope or an Entered ended on another thread than it began on. "
                "In a coroutine, end it before the co_await and enter its Context again after.\n");
    abort();
  }
  if (current.thread && current.thread != thread.get()) {
    WriteToReal(Stream::kStderr,
                "jobtail capture: a Scope or an Entered ended before one that was opened in it.\n");
    abort();
  }
  thread->Close();
  current.thread = outer;
}

// --- Who may use it

// False if the owner is inside already, or nothing is taken any more.
inline bool ThreadCapture::Enter() {
  if (IsInside()) return false;
  AsymmetricBarrier::Raise(inside_);
  if (wanted_.load(std::memory_order_acquire)) [[unlikely]]
    LetOthersFirst();
  if (Cancellation::IsInUse()) [[unlikely]]
    HoldCancellation();
  if (IsOpen()) [[likely]]
    return true;
  Leave();
  current.thread = nullptr;  // the session has ended
  return false;
}

inline void ThreadCapture::Leave() {
  AsymmetricBarrier::Lower(inside_);
  if (wanted_.load(std::memory_order_relaxed)) [[unlikely]]
    inside_.notify_all();
  if (Cancellation::IsInUse()) [[unlikely]]
    ReleaseCancellation();
}

void ThreadCapture::HoldCancellation() {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state_);
  holds_cancellation_ = true;
}

void ThreadCapture::ReleaseCancellation() {
  if (std::exchange(holds_cancellation_, false)) pthread_setcancelstate(cancel_state_, nullptr);
  if (cancel_.load() && cancel_.exchange(false)) Real<"pthread_cancel", int(pthread_t)>()(owner_);
}

// Whoever clears cancel_ carries it out: the owner as it leaves, or the caller, if that has left
// already.
bool ThreadCapture::CancelWhenOutside() {
  if (!inside_.load(std::memory_order_seq_cst)) return false;
  cancel_.store(true, std::memory_order_seq_cst);
  AsymmetricBarrier::Heavy();
  if (inside_.load(std::memory_order_seq_cst)) return true;
  return !cancel_.exchange(false);
}

void ThreadCapture::LetOthersFirst() {
  do {
    AsymmetricBarrier::Lower(inside_);
    inside_.notify_all();
    std::lock_guard wait(mutex_);
    AsymmetricBarrier::Raise(inside_);
  } while (wanted_.load(std::memory_order_acquire));
}

// For others than the owner. False if the owner is inside and `wait` is false.
bool ThreadCapture::Hold(bool wait) {
  if (wait) {
    mutex_.lock();
  } else if (!mutex_.try_lock()) {
    return false;
  }
  wanted_.store(true, std::memory_order_seq_cst);
  AsymmetricBarrier::Heavy();
  while (inside_.load(std::memory_order_seq_cst)) {
    if (!wait) {
      Release();
      return false;
    }
    inside_.wait(true, std::memory_order_acquire);
  }
  return true;
}

void ThreadCapture::Release() {
  wanted_.store(false, std::memory_order_release);
  mutex_.unlock();
}

// --- The owner

inline bool ThreadCapture::EnterToTake() {
  if (Cancellation::IsInUse() && !IsInside()) [[unlikely]]
    pthread_testcancel();  // as the C library's functions do that write
  if (!Enter()) return false;
  if (late_waits_.load(std::memory_order_relaxed)) [[unlikely]]
    TakeFromHandlers(/*wait=*/true);
  return true;
}

bool ThreadCapture::Take(Stream stream, const char* data, size_t size) {
  if (current.handlers) [[unlikely]] {
    const std::string_view text(data, size);
    return TakeInHandler(stream, {&text, 1});
  }
  if (!EnterToTake()) return false;
  Channel& channel = this->channel(stream);
  TakePart(channel, data, size);
  channel.NoteUnfinished();
  Leave();
  return !current.both;
}

bool ThreadCapture::Take(Stream stream, std::span<const std::string_view> parts) {
  if (current.handlers) [[unlikely]] {
    return TakeInHandler(stream, parts);
  }
  if (!EnterToTake()) return false;
  Channel& channel = this->channel(stream);
  if (parts.size() == 2 && parts[1] == "\n" && channel.lines.IsLine(parts[0])) {
    GiveLine(channel, parts[0]);  // as it is, where it is
  } else {
    for (const std::string_view part : parts) TakePart(channel, part.data(), part.size());
  }
  channel.NoteUnfinished();
  Leave();
  return !current.both;
}

void ThreadCapture::TakeFromChildren() {
  if (!session_->HasChildren() || IsInHandler() || !Enter()) return;
  session_->TakeFromChildren();
  Leave();
}

void ThreadCapture::Abandon() {
  sink_.store(nullptr, std::memory_order_release);
  Leave();
}

inline void ThreadCapture::TakePart(Channel& channel, const char* data, size_t size) {
  std::string_view text;
  switch (channel.lines.TakeSimple(data, size, &text)) {
    case LineBuffer::Simple::kLine:
      return GiveLine(channel, text);
    case LineBuffer::Simple::kKept:
      return;
    case LineBuffer::Simple::kNeither:
      TakeLines(channel, {data, size});
  }
}

// A line that ends in "\n".
inline void ThreadCapture::GiveLine(Channel& channel, std::string_view text) {
  const Line line{channel.stream, Ending::kLf, clock_.NowUnixNanos(), text};
  channel.seen = {};
  Give(sink(), {&line, 1});
}

// A line whose text lies in the line buffer is valid only until the buffer is used again, so it
// ends a call; lines that lie in `bytes` are collected, so that a large write is few calls.
void ThreadCapture::TakeLines(Channel& channel, std::string_view bytes) {
  std::array<Line, kLinesPerCall> lines;
  size_t count = 0;
  const int64_t now = clock_.NowUnixNanos();
  LineBuffer::Piece piece;
  while (channel.lines.Take(&bytes, &piece)) {
    lines[count++] = {channel.stream, piece.ending, now, piece.text};
    channel.seen = {};
    if (count < lines.size() && channel.lines.IsOutside(piece.text)) continue;
    Give(sink(), {lines.data(), count});
    count = 0;
  }
  if (count > 0) Give(sink(), {lines.data(), count});
}

bool ThreadCapture::Flush(Stream stream) {
  // Only this thread adds text: if there is none, nobody else makes some.
  if (!channel(stream).unfinished.load(std::memory_order_relaxed)) return true;
  if (IsInHandler()) return true;
  if (!Enter()) return false;
  channel(stream).Flush(sink());
  Leave();
  return true;
}

// --- Signal handlers

bool ThreadCapture::TakeInHandler(Stream stream, std::span<const std::string_view> parts) {
  if (!IsOpen() || !from_handlers_.Add(stream, parts)) return false;
  late_waits_.store(true, std::memory_order_relaxed);
  Flusher::Wake();
  return !current.both;
}

// False if something remains because the sink would have had to block and `wait` is false.
bool ThreadCapture::TakeFromHandlers(bool wait) {
  while (TakeLate(wait)) {
    late_waits_.store(false, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (from_handlers_.Empty()) return true;
    late_waits_.store(true, std::memory_order_relaxed);
    late_.resize(SignalRing::kMaxText);
    std::string_view text;
    from_handlers_.Take(&late_stream_, late_, &text);
    late_.resize(text.size());
  }
  return false;
}

bool ThreadCapture::TakeLate(bool wait) {
  Channel& channel = this->channel(late_stream_);
  bool given = true;
  while (given && !late_.empty()) given = TakeLateLine(channel, wait);
  channel.NoteUnfinished();
  return given;
}

// One line of late_, or what is left of it.
bool ThreadCapture::TakeLateLine(Channel& channel, bool wait) {
  std::string_view rest = late_;
  LineBuffer before = channel.lines;
  LineBuffer::Piece piece;
  if (channel.lines.Take(&rest, &piece)) {
    const Line line{late_stream_, piece.ending, NowUnixNanos(), piece.text};
    if (wait) {
      Give(sink(), {&line, 1});
    } else if (!TryGive(sink(), {&line, 1})) {
      channel.lines = std::move(before);
      return false;
    }
    channel.seen = {};
  }
  late_.erase(0, late_.size() - rest.size());
  return true;
}

// --- Others

bool ThreadCapture::FlushOlderThan(std::chrono::steady_clock::time_point now) {
  if (AsymmetricBarrier::IsAvailable() && from_handlers_.Empty() &&
      !late_waits_.load(std::memory_order_relaxed) &&
      !channels_[0].unfinished.load(std::memory_order_relaxed) &&
      !channels_[1].unfinished.load(std::memory_order_relaxed)) {
    return false;
  }
  if (!Hold(/*wait=*/false)) return true;
  bool remains = false;
  if (IsOpen()) {
    const bool late = !TakeFromHandlers(/*wait=*/false);
    const bool out = channels_[0].TryFlushOld(sink(), now);
    const bool err = channels_[1].TryFlushOld(sink(), now);
    remains = late || out || err;
  }
  Release();
  return remains;
}

void ThreadCapture::CloseInside() {
  if (!IsOpen()) return;
  TakeFromHandlers(/*wait=*/true);
  for (Channel& channel : channels_) channel.Flush(sink());
  sink_.store(nullptr, std::memory_order_release);
}

void ThreadCapture::Close() {
  if (!IsOpen()) return;
  if (current.thread == this) {
    if (Enter()) CloseInside(), Leave();
    return;
  }
  Hold(/*wait=*/true);
  {
    Bypass bypass;
    CloseInside();
  }
  Release();
}

}  // namespace jobtail::capture::internal
