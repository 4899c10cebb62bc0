// Lines on their way, with what is secret masked however they are cut.
#include "server/run/mask_sink.h"

#include <utility>

namespace jobtail {
namespace {

using capture::Ending;
using capture::Line;

}  // namespace

void MaskSink::MaskLineLocked(const Line& line, OwnedLines* masked) {
  Held& held = held_[line.stream == capture::Stream::kStdout ? 0 : 1];
  const bool ends = line.ending == Ending::kLf || line.ending == Ending::kCr;
  held.text.append(line.text);
  Masker::Result result = masker_->Mask(held.text, held.covered, ends);
  held.text.erase(0, result.held);
  held.covered = result.covered;
  held.time_unix_nanos = line.time_unix_nanos;
  if (ends) held.covered = 0;
  if (ends || !result.text.empty()) masked->AddInPieces(line, std::move(result.text));
}

OwnedLines MaskSink::MaskLocked(std::span<const Line> lines) {
  OwnedLines masked;
  for (const Line& line : lines) MaskLineLocked(line, &masked);
  return masked;
}

void MaskSink::Write(std::span<const Line> lines) noexcept {
  absl::MutexLock lock(&mutex_);
  const OwnedLines masked = MaskLocked(lines);
  if (!masked.lines.empty()) next_->Write(masked.lines);
}

bool MaskSink::TryWrite(std::span<const Line> lines) noexcept {
  if (!mutex_.TryLock()) return false;
  State before = held_;
  const OwnedLines masked = MaskLocked(lines);
  const bool written = masked.lines.empty() || next_->TryWrite(masked.lines);
  if (!written) held_ = std::move(before);
  mutex_.Unlock();
  return written;
}

void MaskSink::Finish() {
  absl::MutexLock lock(&mutex_);
  OwnedLines rest;
  for (const auto stream : {capture::Stream::kStdout, capture::Stream::kStderr}) {
    Held& held = held_[stream == capture::Stream::kStdout ? 0 : 1];
    std::string text = masker_->Mask(held.text, held.covered, /*whole=*/true).text;
    const Line line{stream, Ending::kNone, held.time_unix_nanos, {}};
    if (!text.empty()) rest.AddInPieces(line, std::move(text));
    held = {};
  }
  if (!rest.lines.empty()) next_->Write(rest.lines);
}

}  // namespace jobtail
