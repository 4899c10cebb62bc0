// A function that is called again and again.
#ifndef JOBTAIL_CLIENT_CLI_TICKER_H_
#define JOBTAIL_CLIENT_CLI_TICKER_H_

#include <functional>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/scheduler.h"

namespace jobtail::client::cli {

// Calls a function in a thread of its own, each time `period` after the last call has returned.
// Destroying the ticker ends that, and waits for a call that is being made.
class Ticker {
 public:
  // `clock` outlives the ticker.
  Ticker(absl::Duration period, std::function<void()> tick, Clock* clock = Clock::System());

  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void WaitForNext();

  const absl::Duration period_;
  const std::function<void()> tick_;
  Scheduler scheduler_;  // last: its thread uses the rest
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TICKER_H_
