// From bytes that a process has printed to lines in a sink.
#ifndef JOBTAIL_SERVER_PROCESS_OUTPUT_LINES_H_
#define JOBTAIL_SERVER_PROCESS_OUTPUT_LINES_H_

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "capture/line_buffer.h"
#include "capture/sink.h"

namespace jobtail::process {

// Cuts what is read from a process into lines and delivers them to a sink, at the sink's pace.
//
// Hazard: what the sink does not take is kept, in the room that is read to. Nothing may be read
// until Deliver() has returned true.
//
// Owned by the Process, and used on its strand alone.
//
//   if (lines.Deliver()) lines.Append(stream, read(fd, lines.room().data(), lines.room().size()));
class OutputLines {
 public:
  // `room` is how much can be read at once, in bytes. If `interleaved`, unfinished text of one
  // stream is delivered before text of the other, so that all stays in the order in which it came.
  // `clock` dates the lines. It and `sink` outlive this.
  OutputLines(capture::Sink* sink, size_t room, bool interleaved, Clock* clock);

  OutputLines(const OutputLines&) = delete;
  OutputLines& operator=(const OutputLines&) = delete;

  // Where to read to. To be used only while all has been delivered.
  std::span<char> room() { return {room_.get(), size_}; }

  // The first `size` bytes of the room have come on `stream`.
  void Append(capture::Stream stream, size_t size);
  // A line on stderr that is not the process's own. False if the sink does not take it now.
  bool TryNote(std::string_view text);

  // Delivers whole lines. False if the sink took less than all.
  bool Deliver();

  bool HasUnfinished() const;
  // Delivers text without terminator that has waited for `least`. To be called when Deliver has
  // returned true. False if the sink did not take it.
  bool FlushUnfinished(absl::Duration least = -absl::InfiniteDuration());

 private:
  struct Channel {
    capture::Stream stream;
    capture::LineBuffer lines;
    std::optional<absl::Duration> since;  // when its unfinished text came, by the steady clock
  };
  static constexpr size_t kLinesPerCall = 64;

  bool Flush(Channel& channel);
  int64_t Now() const;

  capture::Sink* const sink_;
  const size_t size_;
  const bool interleaved_;
  Clock* const clock_;
  const std::unique_ptr<char[]> room_;
  std::array<Channel, 2> channels_{Channel{capture::Stream::kStdout, {}, {}},
                                   Channel{capture::Stream::kStderr, {}, {}}};
  Channel* from_ = &channels_[0];  // of rest_ and lines_
  std::string_view rest_;          // has been read, and is not cut into lines yet
  std::array<capture::Line, kLinesPerCall> lines_{};
  size_t count_ = 0;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_OUTPUT_LINES_H_
