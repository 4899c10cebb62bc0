// The state of one output stream: its unfinished line, and how long that has waited.
#ifndef JOBTAIL_CAPTURE_CHANNEL_H_
#define JOBTAIL_CAPTURE_CHANNEL_H_

#include <errno.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>

#include "capture/flusher.h"
#include "capture/line_buffer.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {

// The most lines that a sink is given in one call.
inline constexpr size_t kLinesPerCall = 64;

// Gives lines to a sink, and leaves errno as it was.
inline void Give(Sink& sink, std::span<const Line> lines) {
  const int error = errno;  // printing does not change it, as people have come to expect
  sink.Write(lines);
  errno = error;
}
inline bool TryGive(Sink& sink, std::span<const Line> lines) {
  const int error = errno;
  const bool taken = sink.TryWrite(lines);
  errno = error;
  return taken;
}

// One output stream of a thread or a process: its unfinished line, and how long that has waited.
// Used by one thread at a time, but for `unfinished`.
struct Channel {
  explicit Channel(Stream its_stream) : stream(its_stream) {}

  // Tells others whether there is unfinished text, after `lines` has been used; and the flusher, if
  // there is.
  void NoteUnfinished() {
    const bool now = lines.HasPartial();
    unfinished.store(now, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // before the flusher's state is looked at
    if (now) Flusher::Wake();
  }

  // Hands on what is unfinished.
  void Flush(Sink& sink);

  // Does so if the sink need not block. True if something unfinished remains.
  bool TryFlush(Sink& sink);
  // The same, but leaves alone what has not waited for kPartialDelay.
  bool TryFlushOld(Sink& sink, std::chrono::steady_clock::time_point now);

  const Stream stream;
  LineBuffer lines;
  std::atomic<bool> unfinished = false;
  // When the flusher first saw the unfinished text that is waiting now; zero if it has not.
  std::chrono::steady_clock::time_point seen{};

 private:
  Line Unfinished();
  void Flushed();
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_CHANNEL_H_
