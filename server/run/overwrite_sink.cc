// What of a progress bar goes into the log.
#include "server/run/overwrite_sink.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "base/cursor_moves.h"

namespace jobtail {
namespace {

using capture::Ending;
using capture::Line;
using capture::Stream;

// After a pause in which so much of what is handed on as it comes has come back, it is again.
constexpr double kRested = 0.1;

constexpr std::array kStreams{Stream::kStdout, Stream::kStderr};

Stream Other(Stream stream) {
  return stream == Stream::kStdout ? Stream::kStderr : Stream::kStdout;
}

}  // namespace

bool OverwriteSink::PassesThrough(std::span<const Line> lines) const {
  return !drawing_.load(std::memory_order_relaxed) &&
         std::ranges::none_of(lines, [](const Line& line) { return line.ending == Ending::kCr; });
}

void OverwriteSink::Write(std::span<const Line> lines) noexcept {
  if (PassesThrough(lines)) return next_->Write(lines);
  absl::MutexLock lock(&mutex_);
  const OwnedLines out = TakeLocked(lines);
  TellLocked(out, lines.back().time_unix_nanos);
  if (!out.lines.empty()) next_->Write(out.lines);
  SettleLocked();
}

bool OverwriteSink::TryWrite(std::span<const Line> lines) noexcept {
  if (PassesThrough(lines)) return next_->TryWrite(lines);
  if (!mutex_.TryLock()) return false;
  State before = state_;
  const OwnedLines out = TakeLocked(lines);
  TellLocked(out, lines.back().time_unix_nanos);
  const bool written = out.lines.empty() || next_->TryWrite(out.lines);
  if (!written) state_ = std::move(before);
  SettleLocked();
  mutex_.Unlock();
  return written;
}

OverwriteSink::Dropped OverwriteSink::Finish() {
  absl::MutexLock lock(&mutex_);
  OwnedLines out;
  for (const Stream stream : kStreams) EmitLocked(stream, &out);
  TellAllLocked(state_.last_time);
  if (!out.lines.empty()) next_->Write(out.lines);
  finished_ = true;
  return state_.dropped;
}

OwnedLines OverwriteSink::TakeLocked(std::span<const Line> lines) {
  OwnedLines out;
  for (const Line& line : lines) TakeLineLocked(line, &out);
  return out;
}

void OverwriteSink::TakeLineLocked(const Line& line, OwnedLines* out) {
  EmitLocked(Other(line.stream), out);  // the order of both streams stays
  Bar& bar = BarOfLocked(line.stream);
  RefillLocked(line.time_unix_nanos);
  const bool may_wait = line.ending == Ending::kCr || line.ending == Ending::kNone;
  const bool has_rested = most_kept_ > 0 && state_.left >= kRested * most_kept_;
  if (bar.drawing && may_wait && !has_rested) return DrawLocked(line, bar, out);
  EmitLocked(line.stream, out);
  out->Add(line);
  state_.ends_bar |= bar.drawing;
  bar = {};
  bar.drawing = line.ending == Ending::kCr && !SpendLocked(line);
  bar.kept_time = line.time_unix_nanos;
}

void OverwriteSink::RefillLocked(int64_t time_unix_nanos) {
  const absl::Duration passed = absl::Nanoseconds(time_unix_nanos - state_.last_time);
  if (passed <= absl::ZeroDuration()) return;
  state_.last_time = time_unix_nanos;
  const double more = absl::ToDoubleSeconds(passed) * kKeptInSecond;
  state_.left = std::min(state_.left + more, static_cast<double>(most_kept_));
}

// False if that is more than is left.
bool OverwriteSink::SpendLocked(const Line& line) {
  const size_t lines = 1 + line.text.size() / kLineBytes;
  const auto cost = static_cast<double>(lines);
  if (state_.left < cost) return false;
  state_.left -= cost;
  return true;
}

// What was dropped, before what is handed on next, if it is time.
void OverwriteSink::TellLocked(const OwnedLines& next, int64_t time_unix_nanos) {
  if (next.lines.empty() || state_.dropped.lines <= told_) return;
  if (told_time_ == 0) told_time_ = time_unix_nanos;
  const bool is_due = time_unix_nanos - told_time_ >= absl::ToInt64Nanoseconds(kTellInterval);
  if (is_due || std::exchange(state_.ends_bar, false)) TellAllLocked(time_unix_nanos);
}

// Lines that `next_` does not take, and are dropped once more, are not told again.
void OverwriteSink::TellAllLocked(int64_t time_unix_nanos) {
  const int64_t lines = state_.dropped.lines - told_;
  if (lines <= 0) return;
  told_ += lines;
  told_time_ = time_unix_nanos;
  if (leave_out_) leave_out_(lines, time_unix_nanos);
}

void OverwriteSink::DrawLocked(const Line& line, Bar& bar, OwnedLines* out) {
  const bool at_start = bar.waiting ? bar.ended : !bar.log_open || bar.owes_return;
  if (at_start && line.text.empty()) {  // a second "\r" overwrites nothing
    ++state_.dropped.lines;
    ++state_.dropped.bytes;
    return;
  }
  if (bar.waiting && bar.ended) LeaveLocked(line, bar, out);
  if (bar.text.size() + line.text.size() > capture::kMaxLineBytes) EmitLocked(line.stream, out);
  bar.waiting = true;
  bar.ended = line.ending == Ending::kCr;
  bar.text.append(line.text);
  bar.time = line.time_unix_nanos;
  if (bar.time - bar.kept_time >= absl::ToInt64Nanoseconds(kInterval)) {
    EmitLocked(line.stream, out);
  }
}

// `next` draws on the row anew, unless either of both takes the cursor to another one.
void OverwriteSink::LeaveLocked(const Line& next, Bar& bar, OwnedLines* out) {
  if (MovesToOtherRows(bar.text) || MovesToOtherRows(next.text)) {
    return EmitLocked(next.stream, out);
  }
  DropLocked(bar);
}

// If the beginning of the line has been handed on, its "\r" is still to come.
void OverwriteSink::DropLocked(Bar& bar) {
  const bool return_comes = bar.log_open && !bar.owes_return;
  bar.owes_return |= return_comes;
  if (!return_comes || !bar.text.empty()) ++state_.dropped.lines;
  state_.dropped.bytes += static_cast<int64_t>(bar.text.size()) + (return_comes ? 0 : 1);
  bar.text.clear();
  bar.waiting = false;
}

void OverwriteSink::EmitLocked(Stream stream, OwnedLines* out) {
  Bar& bar = BarOfLocked(stream);
  if (bar.owes_return) {
    out->Add({stream, Ending::kCr, bar.time, {}});
    bar.log_open = false;
    bar.owes_return = false;
  }
  if (!bar.waiting) return;
  const Ending ending = bar.ended ? Ending::kCr : Ending::kNone;
  out->AddOwned({stream, ending, bar.time, {}}, std::exchange(bar.text, {}));
  bar.waiting = false;
  state_.left = std::max(state_.left - 1, 0.0);
  bar.log_open = !bar.ended;
  bar.kept_time = bar.time;
}

// After what was taken has been handed on.
void OverwriteSink::SettleLocked() {
  drawing_.store(state_.bars[0].drawing || state_.bars[1].drawing, std::memory_order_relaxed);
  if (state_.bars[0].waiting || state_.bars[1].waiting) ScheduleLocked();
}

void OverwriteSink::ScheduleLocked() {
  if (std::exchange(scheduled_, true)) return;
  timers_->After(kInterval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Flush();
  });
}

// The job may have paused: what it drew last is shown. Never waits: the thread serves others, too.
void OverwriteSink::Flush() {
  if (!mutex_.TryLock()) {
    timers_->After(kInterval, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Flush();
    });
    return;
  }
  scheduled_ = false;
  if (!finished_) {
    State before = state_;
    OwnedLines out;
    for (const Stream stream : kStreams) EmitLocked(stream, &out);
    const int64_t now = absl::ToUnixNanos(timers_->clock()->Now());
    for (Bar& bar : state_.bars) bar.kept_time = now;
    if (!out.lines.empty() && !next_->TryWrite(out.lines)) state_ = std::move(before);
    SettleLocked();
  }
  mutex_.Unlock();
}

}  // namespace jobtail
