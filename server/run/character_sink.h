// The stage of a run's output that keeps the bytes of a character together.
#ifndef JOBTAIL_SERVER_RUN_CHARACTER_SINK_H_
#define JOBTAIL_SERVER_RUN_CHARACTER_SINK_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "capture/sink.h"
#include "server/run/owned_lines.h"

namespace jobtail {

// Lets no piece of a line end within a character of UTF-8: what may be the beginning of one, three
// bytes at most, waits for what its stream prints next, or for the end. All other lines go through
// as they are; while nothing waits, without a copy or a lock. Thread-safe.
class CharacterSink : public capture::Sink {
 public:
  // `next` outlives the sink.
  explicit CharacterSink(capture::Sink* next) : next_(next) {}

  void Write(std::span<const capture::Line> lines) noexcept override;
  bool TryWrite(std::span<const capture::Line> lines) noexcept override;

  // Hands on what waits. To be called at the end.
  void Finish();

 private:
  struct Held {
    std::string bytes;
    int64_t time_unix_nanos = 0;
  };
  using State = std::array<Held, 2>;  // stdout, stderr

  bool PassesThrough(std::span<const capture::Line> lines) const;
  OwnedLines TakeLocked(std::span<const capture::Line> lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeLineLocked(capture::Line line, OwnedLines* out) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SettleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  capture::Sink* const next_;
  std::atomic<bool> holds_ = false;  // anything

  absl::Mutex mutex_;  // held while handing on: lines stay in order
  State held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_CHARACTER_SINK_H_
