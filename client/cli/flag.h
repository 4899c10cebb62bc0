// A flag that one thread raises and another waits for, at most for a time.
#ifndef JOBTAIL_CLIENT_CLI_FLAG_H_
#define JOBTAIL_CLIENT_CLI_FLAG_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail::client::cli {

// A flag, lowered at first. Waits go by the steady clock: setting the time of day neither ends nor
// lengthens one. Thread-safe.
class Flag {
 public:
  // `clock` outlives the flag.
  explicit Flag(Clock* clock = Clock::System()) : clock_(clock) {}

  void Raise();
  void Lower();

  // Waits until the flag is up, `time` at most. Whether it is.
  bool Await(absl::Duration time);

 private:
  Clock* const clock_;

  std::mutex mutex_;
  std::condition_variable raised_;
  bool is_up_ = false;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_FLAG_H_
