// The stage of a run's output that masks secrets.
#ifndef JOBTAIL_SERVER_RUN_MASK_SINK_H_
#define JOBTAIL_SERVER_RUN_MASK_SINK_H_

#include <array>
#include <span>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "capture/sink.h"
#include "server/run/masker.h"
#include "server/run/owned_lines.h"

namespace jobtail {

// Masks what a run prints. A secret is found also when it comes in several pieces of one line, as
// long as no other thread prints on the same stream in between. The end of an unfinished line is
// held back if a secret may begin there, and all of it if there are patterns, until it goes on.
// Thread-safe.
class MaskSink : public capture::Sink {
 public:
  // Both outlive the sink.
  MaskSink(const Masker* masker, capture::Sink* next) : masker_(masker), next_(next) {}

  void Write(std::span<const capture::Line> lines) noexcept override;
  bool TryWrite(std::span<const capture::Line> lines) noexcept override;

  // Hands on what is held back. To be called at the end.
  void Finish();

 private:
  struct Held {
    std::string text;
    size_t covered = 0;  // see Masker::Result
    int64_t time_unix_nanos = 0;
  };
  using State = std::array<Held, 2>;  // stdout, stderr

  OwnedLines MaskLocked(std::span<const capture::Line> lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MaskLineLocked(const capture::Line& line, OwnedLines* masked)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Masker* const masker_;
  capture::Sink* const next_;

  absl::Mutex mutex_;  // held while handing on: lines stay in order
  State held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_MASK_SINK_H_
