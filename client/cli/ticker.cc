// A ticker as a function of a scheduler that schedules itself.

#include "client/cli/ticker.h"

#include <utility>

namespace jobtail::client::cli {

Ticker::Ticker(absl::Duration period, std::function<void()> tick, Clock* clock)
    : period_(period), tick_(std::move(tick)), scheduler_("ticker", clock) {
  WaitForNext();
}

void Ticker::WaitForNext() {
  scheduler_.After(period_, [this] {
    tick_();
    WaitForNext();
  });
}

}  // namespace jobtail::client::cli
