// Work that one thread does for others.
#ifndef JOBTAIL_SERVER_RUN_RELAY_H_
#define JOBTAIL_SERVER_RUN_RELAY_H_

#include <deque>
#include <span>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "capture/sink.h"

namespace jobtail {

// Has a thread do what other threads must not do themselves, one thing at a time, while they wait.
// Thread-safe.
class Relay {
 public:
  Relay() = default;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Does what it is given, on the calling thread, until Close.
  void Serve();
  // To be called once, when nobody calls Do any more.
  void Close();

  // Returns when it is done.
  void Do(absl::FunctionRef<void()> work);

 private:
  struct Task {
    absl::FunctionRef<void()> work;
    bool done = false;
  };

  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return closed_ || !tasks_.empty(); }

  absl::Mutex mutex_;
  std::deque<Task*> tasks_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// A sink to which lines are written on the relay's thread. Both outlive it. Thread-safe.
class RelaySink : public capture::Sink {
 public:
  RelaySink(Relay* relay, capture::Sink* next) : relay_(relay), next_(next) {}

  void Write(std::span<const capture::Line> lines) noexcept override {
    relay_->Do([&] { next_->Write(lines); });
  }
  // What does not block touches neither store nor connections.
  bool TryWrite(std::span<const capture::Line> lines) noexcept override {
    return next_->TryWrite(lines);
  }

 private:
  Relay* const relay_;
  capture::Sink* const next_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RELAY_H_
