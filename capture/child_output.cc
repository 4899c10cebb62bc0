// What a child process prints, on its way to the session's sink.

#include "capture/child_output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <tuple>
#include <utility>

#include "capture/clock.h"
#include "capture/current.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

void CloseDescriptor(int& fd) {
  if (fd >= 0) Real<"close", int(int)>()(std::exchange(fd, -1));
}

}  // namespace

int MoveUp(int fd) {
  if (fd < 0 || fd > 2) return fd;
  const int moved = Real<"fcntl64", int(int, int, ...)>()(fd, F_DUPFD_CLOEXEC, 3);
  CloseDescriptor(fd);
  return moved;
}

namespace {

// Whether PIPE_BUF bytes can be written without waiting.
bool CanWrite(int fd) {
  pollfd request{fd, POLLOUT, 0};
  return poll(&request, 1, 0) > 0;
}

}  // namespace

ChildOutput::ChildOutput(std::shared_ptr<Session> session) : session_(std::move(session)) {
  for (Pipe& pipe : pipes_) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      const int error = errno;
      for (Pipe& made : pipes_) CloseDescriptor(made.read), CloseDescriptor(made.write);
      throw std::system_error(error, std::generic_category(), "capture: no pipe for a child");
    }
    std::tie(pipe.read, pipe.write) = std::pair(MoveUp(ends[0]), MoveUp(ends[1]));
    fcntl(pipe.read, F_SETFL, O_NONBLOCK);
  }
}

void ChildOutput::CloseReadEnds() {
  std::lock_guard lock(mutex_);
  for (Pipe& pipe : pipes_) CloseDescriptor(pipe.read);
}

void ChildOutput::CloseWriteEnds() {
  for (Pipe& pipe : pipes_) CloseDescriptor(pipe.write);
}

// False if the sink would have to block and `wait` is false.
bool ChildOutput::GiveLines(bool wait) {
  if (count_ == 0) return true;
  if (wait) {
    Give(*sink_, {lines_.data(), count_});
  } else if (!TryGive(*sink_, {lines_.data(), count_})) {
    return false;
  }
  count_ = 0;
  from_->channel.seen = {};
  return true;
}

// All that has been read. The same. See ThreadCapture::TakeLines.
bool ChildOutput::Deliver(bool wait) {
  if (!from_) return true;
  if (!sink_) return CopyToReal(wait);
  while (true) {
    if (!GiveLines(wait)) return false;
    const int64_t now = NowUnixNanos();
    LineBuffer::Piece piece;
    while (count_ < lines_.size() && from_->channel.lines.Take(&rest_, &piece)) {
      lines_[count_++] = {from_->channel.stream, piece.ending, now, piece.text};
      if (!from_->channel.lines.IsOutside(piece.text)) break;
    }
    if (count_ == 0) break;
  }
  from_ = nullptr;
  return true;
}

bool ChildOutput::CopyToReal(bool wait) {
  const Stream stream = from_->channel.stream;
  while (!rest_.empty()) {
    if (!wait && !CanWrite(static_cast<int>(stream))) return false;
    const std::string_view some = rest_.substr(0, PIPE_BUF);
    WriteToReal(stream, some);
    rest_.remove_prefix(some.size());
  }
  from_ = nullptr;
  return true;
}

// False if there is nothing to read now.
bool ChildOutput::Read(Pipe& pipe) {
  if (pipe.ended || pipe.read < 0) return false;
  if (!chunk_) chunk_.reset(new char[kChunk]);
  ssize_t size;
  do {
    size = read(pipe.read, chunk_.get(), kChunk);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return false;
  if (size == 0) {
    pipe.ended = true;
    return false;
  }
  from_ = &pipe;
  rest_ = {chunk_.get(), static_cast<size_t>(size)};
  return true;
}

// What is there now: what comes meanwhile is for the next call, or a child that prints faster than
// the sink takes it would be taken from for ever.
ChildOutput::State ChildOutput::Take(Pipe& pipe, bool wait) {
  int there = 0;
  if (pipe.read >= 0) ioctl(pipe.read, FIONREAD, &there);
  while (Deliver(wait)) {
    if (there >= 0 && Read(pipe)) {
      there -= static_cast<int>(rest_.size());
      if (there <= 0) there = -1;
      continue;
    }
    pipe.channel.NoteUnfinished();
    if (!pipe.ended) return State::kWaiting;
    if (!sink_) return State::kEnded;
    if (wait) pipe.channel.Flush(*sink_);
    return pipe.channel.TryFlush(*sink_) ? State::kBlocked : State::kEnded;
  }
  return State::kBlocked;
}

void ChildOutput::TakeAll() {
  const int error = errno;
  {
    std::lock_guard lock(mutex_);
    for (Pipe& pipe : pipes_) Take(pipe, /*wait=*/true);
  }
  errno = error;
}

ChildOutput::State ChildOutput::TryTake(Stream stream) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  return lock ? Take(pipe(stream), /*wait=*/false) : State::kBlocked;
}

void ChildOutput::CopyRest() {
  if (!session_->HasEnded()) return;
  std::lock_guard lock(mutex_);
  if (sink_) return;
  for (Pipe& pipe : pipes_) Take(pipe, /*wait=*/false);
}

bool ChildOutput::FlushOlderThan(std::chrono::steady_clock::time_point now) {
  if (std::none_of(pipes_.begin(), pipes_.end(), [](const Pipe& pipe) {
        return pipe.channel.unfinished.load(std::memory_order_relaxed);
      })) {
    return false;
  }
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return true;
  if (!sink_) return false;
  const bool out = pipes_[0].channel.TryFlushOld(*sink_, now);
  const bool err = pipes_[1].channel.TryFlushOld(*sink_, now);
  return out || err;
}

void ChildOutput::Close() {
  Bypass bypass;
  std::lock_guard lock(mutex_);
  if (!sink_) return;
  for (Pipe& pipe : pipes_) {
    if (IsReachable()) Take(pipe, /*wait=*/true);
    pipe.channel.Flush(*sink_);
  }
  sink_ = nullptr;
}

}  // namespace jobtail::capture::internal
