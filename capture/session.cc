#include "capture/session.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "capture/flusher.h"

namespace jobtail::capture::internal {
namespace {

constexpr size_t kLinesPerCall = 64;

int64_t NowUnixNanos() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

}  // namespace

constinit thread_local ThreadCapture* current_thread = nullptr;

ThreadCapture::ThreadCapture(std::shared_ptr<Session> session) : session_(std::move(session)) {
  session_->Add(this);
}

ThreadCapture::~ThreadCapture() {
  Close();
  session_->Remove(this);
}

bool ThreadCapture::Write(Stream stream, std::span<const std::string_view> parts) {
  Bypass bypass;
  std::lock_guard lock(mutex_);
  if (!sink_) return false;
  for (const std::string_view part : parts) TakeLocked(stream, part);
  NoteUnfinishedLocked(channel(stream));
  return true;
}

void ThreadCapture::NoteUnfinishedLocked(Channel& channel) {
  const bool unfinished = channel.lines.HasPartial();
  channel.unfinished.store(unfinished, std::memory_order_relaxed);
  if (unfinished) Flusher::Wake();
}

void ThreadCapture::TakeLocked(Stream stream, std::string_view bytes) {
  Channel& channel = this->channel(stream);
  LineBuffer::Piece piece;
  if (!channel.lines.Take(&bytes, &piece)) return;
  channel.seen = {};
  const Line line{stream, piece.ending, NowUnixNanos(), piece.text};
  if (bytes.empty()) [[likely]] {
    sink_->Write({&line, 1});
  } else {
    TakeMoreLocked(line, bytes);
  }
}

// `first` and the lines that follow it in `bytes`. A line whose text lies in the line buffer is
// valid only until the buffer is used again, so it ends a call; lines that lie in `bytes` are
// collected, so that a large write is few calls.
void ThreadCapture::TakeMoreLocked(const Line& first, std::string_view bytes) {
  Channel& channel = this->channel(first.stream);
  std::array<Line, kLinesPerCall> lines{first};
  size_t count = 1;
  LineBuffer::Piece piece;
  bool keep = channel.lines.IsOutside(first.text);
  while (true) {
    if (!keep || count == lines.size()) {
      sink_->Write({lines.data(), count});
      count = 0;
    }
    if (!channel.lines.Take(&bytes, &piece)) break;
    lines[count++] = {first.stream, piece.ending, first.time_unix_nanos, piece.text};
    keep = channel.lines.IsOutside(piece.text);
  }
  if (count > 0) sink_->Write({lines.data(), count});
}

bool ThreadCapture::Flush(Stream stream) {
  // Only this thread adds text: if there is none, nobody else makes some.
  if (!channel(stream).unfinished.load(std::memory_order_relaxed)) return true;
  Bypass bypass;
  std::lock_guard lock(mutex_);
  if (!sink_) return false;
  FlushLocked(stream);
  return true;
}

void ThreadCapture::FlushLocked(Stream stream) {
  Channel& channel = this->channel(stream);
  if (!channel.lines.HasPartial()) return;
  const LineBuffer::Piece piece = channel.lines.PeekPartial();
  const Line line{stream, piece.ending, NowUnixNanos(), piece.text};
  sink_->Write({&line, 1});
  channel.lines.DropPartial();
  channel.unfinished.store(false, std::memory_order_relaxed);
  channel.seen = {};
}

bool ThreadCapture::FlushOlderThan(std::chrono::steady_clock::time_point now) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return true;
  if (!sink_) return false;
  const bool out = TryFlushLocked(Stream::kStdout, now);
  const bool err = TryFlushLocked(Stream::kStderr, now);
  return out || err;
}

bool ThreadCapture::TryFlushLocked(Stream stream, std::chrono::steady_clock::time_point now) {
  Channel& channel = this->channel(stream);
  if (!channel.lines.HasPartial()) return false;
  if (channel.seen == std::chrono::steady_clock::time_point{}) channel.seen = now;
  if (now - channel.seen < kPartialDelay) return true;
  const LineBuffer::Piece piece = channel.lines.PeekPartial();
  const Line line{stream, piece.ending, NowUnixNanos(), piece.text};
  if (!sink_->TryWrite({&line, 1})) return true;
  channel.lines.DropPartial();
  channel.unfinished.store(false, std::memory_order_relaxed);
  channel.seen = {};
  return false;
}

void ThreadCapture::Close() {
  Bypass bypass;
  std::lock_guard lock(mutex_);
  if (!sink_) return;
  FlushLocked(Stream::kStdout);
  FlushLocked(Stream::kStderr);
  sink_ = nullptr;
}

void Session::Add(ThreadCapture* thread) {
  std::lock_guard lock(mutex_);
  if (!sink_) return;
  thread->Open(sink_);
  threads_.push_back(thread);
}

void Session::Remove(ThreadCapture* thread) {
  std::lock_guard lock(mutex_);
  std::erase(threads_, thread);
}

void Session::Close() {
  std::lock_guard lock(mutex_);
  sink_ = nullptr;
  for (ThreadCapture* thread : threads_) thread->Close();
  threads_.clear();
}

bool Session::FlushOlderThan(std::chrono::steady_clock::time_point now) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return true;
  return std::ranges::count_if(threads_, [&](auto* t) { return t->FlushOlderThan(now); }) > 0;
}

}  // namespace jobtail::capture::internal
