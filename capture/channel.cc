// Lines given to a sink, and one stream of a thread on its way there.

#include "capture/channel.h"

#include "capture/clock.h"

namespace jobtail::capture::internal {

Line Channel::Unfinished() {
  const LineBuffer::Piece piece = lines.PeekPartial();
  return {stream, piece.ending, NowUnixNanos(), piece.text};
}

void Channel::Flushed() {
  lines.DropPartial();
  unfinished.store(false, std::memory_order_relaxed);
  seen = {};
}

void Channel::Flush(Sink& sink) {
  if (!lines.HasPartial()) return;
  const Line line = Unfinished();
  Give(sink, {&line, 1});
  Flushed();
}

bool Channel::TryFlush(Sink& sink) {
  if (!lines.HasPartial()) return false;
  const Line line = Unfinished();
  if (!TryGive(sink, {&line, 1})) return true;
  Flushed();
  return false;
}

bool Channel::TryFlushOld(Sink& sink, std::chrono::steady_clock::time_point now) {
  if (!lines.HasPartial()) return false;
  if (seen == std::chrono::steady_clock::time_point{}) seen = now;
  return now - seen < kPartialDelay || TryFlush(sink);
}

}  // namespace jobtail::capture::internal
