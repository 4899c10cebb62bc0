// Pieces of lines that end between two characters.
#include "server/run/character_sink.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace jobtail {
namespace {

using capture::Ending;
using capture::Line;

// How many bytes at the end may go on as a character.
size_t UnfinishedBytes(const Line& line) {
  const bool goes_on = line.ending == Ending::kNone || line.ending == Ending::kSplit;
  return goes_on ? UnfinishedCharacter(line.text) : 0;
}

}  // namespace

bool CharacterSink::PassesThrough(std::span<const Line> lines) const {
  return !holds_.load(std::memory_order_relaxed) &&
         std::ranges::all_of(lines, [](const Line& line) { return UnfinishedBytes(line) == 0; });
}

void CharacterSink::Write(std::span<const Line> lines) noexcept {
  if (PassesThrough(lines)) return next_->Write(lines);
  absl::MutexLock lock(&mutex_);
  const OwnedLines out = TakeLocked(lines);
  if (!out.lines.empty()) next_->Write(out.lines);
  SettleLocked();
}

bool CharacterSink::TryWrite(std::span<const Line> lines) noexcept {
  if (PassesThrough(lines)) return next_->TryWrite(lines);
  if (!mutex_.TryLock()) return false;
  State before = held_;
  const OwnedLines out = TakeLocked(lines);
  const bool written = out.lines.empty() || next_->TryWrite(out.lines);
  if (!written) held_ = std::move(before);
  SettleLocked();
  mutex_.Unlock();
  return written;
}

void CharacterSink::Finish() {
  absl::MutexLock lock(&mutex_);
  OwnedLines rest;
  for (const auto stream : {capture::Stream::kStdout, capture::Stream::kStderr}) {
    Held& held = held_[stream == capture::Stream::kStdout ? 0 : 1];
    if (held.bytes.empty()) continue;
    rest.AddOwned({stream, Ending::kNone, held.time_unix_nanos, {}}, std::exchange(held.bytes, {}));
  }
  if (!rest.lines.empty()) next_->Write(rest.lines);
}

OwnedLines CharacterSink::TakeLocked(std::span<const Line> lines) {
  OwnedLines out;
  for (const Line& line : lines) TakeLineLocked(line, &out);
  return out;
}

void CharacterSink::TakeLineLocked(Line line, OwnedLines* out) {
  Held& held = held_[line.stream == capture::Stream::kStdout ? 0 : 1];
  std::string text = std::exchange(held.bytes, {});
  const bool is_changed = !text.empty();
  if (is_changed) {
    text.append(line.text);
    line.text = text;
  }
  const size_t unfinished = UnfinishedBytes(line);
  held = {std::string(line.text.substr(line.text.size() - unfinished)), line.time_unix_nanos};
  line.text.remove_suffix(unfinished);
  if (line.text.empty() && unfinished > 0) return;
  if (!is_changed) return out->Add(line);
  text.resize(line.text.size());
  out->AddInPieces(line, std::move(text));
}

void CharacterSink::SettleLocked() {
  const bool holds = !held_[0].bytes.empty() || !held_[1].bytes.empty();
  holds_.store(holds, std::memory_order_relaxed);
}

}  // namespace jobtail
