// The stage of a run's output that thins out progress bars.
#ifndef JOBTAIL_SERVER_RUN_OVERWRITE_SINK_H_
#define JOBTAIL_SERVER_RUN_OVERWRITE_SINK_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "capture/sink.h"
#include "server/run/owned_lines.h"

namespace jobtail {

// Thins out lines that end in "\r" and are overwritten by the next, where they are many. So many
// are handed on as they come: they may be data, and are not too much for a log. Beyond that they
// are taken for a progress bar's: ten states a second are handed on, and always the last. Other
// lines go through as they are; while no bar is drawn, without a copy or a lock. Held by
// shared_ptr. Thread-safe.
//
// A bar goes from a line that ends in "\r" to the next that ends in "\n". Its text waits up to
// kInterval: if what follows a "\r" overwrites it within that time, it is dropped, and counted.
// What was dropped is told where the bar ends, and every kTellInterval before that. What lies
// before and after a move to another row is kept: a program that draws several relies on all of it.
class OverwriteSink : public capture::Sink, public std::enable_shared_from_this<OverwriteSink> {
 public:
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);

  static constexpr absl::Duration kTellInterval = absl::Seconds(10);

  // What is handed on as it comes, in lines of kLineBytes, if nothing is said: at once, and in the
  // long run so much in each second. A longer line counts as several.
  static constexpr int64_t kMostKept = 10'000;
  static constexpr int64_t kKeptInSecond = 10;
  static constexpr int64_t kLineBytes = 512;

  // Told of lines that are dropped, and the time of the last of them, before what is handed on
  // after them. Must not block.
  using LeaveOut = std::function<void(int64_t lines, int64_t time_unix_nanos)>;

  // Hands on `kept` lines as they come; 0: none. `next` and `leave_out`, which may be null, are
  // used until Finish; `timers` outlives the sink.
  OverwriteSink(capture::Sink* next, Scheduler* timers, int64_t kept = 0,
                LeaveOut leave_out = nullptr)
      : next_(next),
        timers_(timers),
        most_kept_(kept),
        leave_out_(std::move(leave_out)),
        state_{.left = static_cast<double>(kept)} {}

  void Write(std::span<const capture::Line> lines) noexcept override;
  bool TryWrite(std::span<const capture::Line> lines) noexcept override;

  // What was printed and is not in the log.
  struct Dropped {
    int64_t lines = 0;
    int64_t bytes = 0;
  };
  // Hands on what is waiting. Nothing is written after it.
  Dropped Finish();

 private:
  // One stream. The text that waits belongs to one line, which is open or has ended in "\r".
  struct Bar {
    bool drawing = false;
    bool log_open = false;     // what was handed on last has no terminator yet
    bool owes_return = false;  // and should have, since the line that follows is another
    bool waiting = false;
    bool ended = false;
    std::string text;
    int64_t time = 0;       // of the text
    int64_t kept_time = 0;  // when something was handed on
  };
  struct State {
    std::array<Bar, 2> bars{};
    Dropped dropped{};
    double left = 0;        // of the lines that are handed on as they come
    int64_t last_time = 0;  // of all lines
    bool ends_bar = false;  // since what was dropped was told
  };

  bool PassesThrough(std::span<const capture::Line> lines) const;
  OwnedLines TakeLocked(std::span<const capture::Line> lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeLineLocked(const capture::Line& line, OwnedLines* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefillLocked(int64_t time_unix_nanos) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SpendLocked(const capture::Line& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellLocked(const OwnedLines& next, int64_t time_unix_nanos)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellAllLocked(int64_t time_unix_nanos) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DrawLocked(const capture::Line& line, Bar& bar, OwnedLines* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeaveLocked(const capture::Line& next, Bar& bar, OwnedLines* out)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropLocked(Bar& bar) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EmitLocked(capture::Stream stream, OwnedLines* out) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SettleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ScheduleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush();
  Bar& BarOfLocked(capture::Stream stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return state_.bars[stream == capture::Stream::kStdout ? 0 : 1];
  }

  capture::Sink* const next_;
  Scheduler* const timers_;
  const int64_t most_kept_;
  const LeaveOut leave_out_;
  std::atomic<bool> drawing_ = false;  // on either stream

  absl::Mutex mutex_;  // held while handing on: lines stay in order
  State state_ ABSL_GUARDED_BY(mutex_);
  int64_t told_ ABSL_GUARDED_BY(mutex_) = 0;  // of the lines that were dropped
  int64_t told_time_ ABSL_GUARDED_BY(mutex_) = 0;
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_OVERWRITE_SINK_H_
