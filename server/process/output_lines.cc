// What was read from a process, cut into lines and delivered at the sink's pace.
#include "server/process/output_lines.h"

#include <algorithm>

namespace jobtail::process {

OutputLines::OutputLines(capture::Sink* sink, size_t room, bool interleaved, Clock* clock)
    : sink_(sink),
      size_(room),
      interleaved_(interleaved),
      clock_(clock),
      room_(std::make_unique_for_overwrite<char[]>(room)) {}

void OutputLines::Append(capture::Stream stream, size_t size) {
  from_ = &channels_[stream == capture::Stream::kStderr];
  rest_ = {room_.get(), size};
}

bool OutputLines::TryNote(std::string_view text) {
  const capture::Line line{capture::Stream::kStderr, capture::Ending::kLf, Now(), text};
  return sink_->TryWrite({&line, 1});
}

bool OutputLines::Deliver() {
  Channel& other = channels_[from_ == &channels_[0]];
  if (interleaved_ && count_ == 0 && !rest_.empty() && !Flush(other)) return false;
  while (true) {
    if (count_ > 0 && !sink_->TryWrite({lines_.data(), count_})) return false;
    count_ = 0;
    const int64_t now = Now();
    capture::LineBuffer::Piece piece;
    while (count_ < lines_.size() && from_->lines.Take(&rest_, &piece)) {
      lines_[count_++] = {from_->stream, piece.ending, now, piece.text};
      from_->since.reset();
      if (!from_->lines.IsOutside(piece.text)) break;  // the buffer is used again
    }
    if (count_ > 0) continue;
    if (from_->lines.HasPartial() && !from_->since) from_->since = clock_->Steady();
    return true;
  }
}

bool OutputLines::HasUnfinished() const {
  return std::ranges::any_of(channels_,
                             [](const Channel& channel) { return channel.lines.HasPartial(); });
}

bool OutputLines::FlushUnfinished(absl::Duration least) {
  const absl::Duration now = clock_->Steady();
  return std::ranges::all_of(channels_, [&](Channel& channel) {
    return now - channel.since.value_or(now) < least || Flush(channel);
  });
}

// The time of day, in nanoseconds.
int64_t OutputLines::Now() const { return absl::ToUnixNanos(clock_->Now()); }

bool OutputLines::Flush(Channel& channel) {
  if (!channel.lines.HasPartial()) return true;
  const capture::LineBuffer::Piece piece = channel.lines.PeekPartial();
  const capture::Line line{channel.stream, piece.ending, Now(), piece.text};
  if (!sink_->TryWrite({&line, 1})) return false;
  channel.lines.DropPartial();
  channel.since.reset();
  return true;
}

}  // namespace jobtail::process
