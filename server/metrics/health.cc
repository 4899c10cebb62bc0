// A question that is asked by one thread and answered, sooner or later, on another.
#include "server/metrics/health.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace jobtail {

Health::Health(Check check, Run run, OnChange on_change, Clock* clock)
    : check_(std::move(check)),
      run_(std::move(run)),
      on_change_(std::move(on_change)),
      clock_(clock),
      looks_("server-health", clock) {
  Look();
}

Health::~Health() { Stop(); }

void Health::Look() {
  Ask();
  Tell();
  looks_.After(kInterval, [this] { Look(); });
}

void Health::Ask() {
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->asking) return;
    state_->asking = true;
    state_->asked = clock_->Steady();
  }
  run_([state = state_, check = check_] {
    absl::Status answer = check();
    absl::MutexLock lock(&state->mutex);
    state->answer = std::move(answer);
    state->asking = false;
  });
}

void Health::Tell() {
  absl::MutexLock lock(&tell_mutex_);
  const int healthy = Get().ok() ? 1 : 0;
  if (std::exchange(told_, healthy) != healthy) on_change_(healthy == 1);
}

absl::Status Health::Get() const {
  const absl::Duration now = clock_->Steady();
  absl::MutexLock lock(&state_->mutex);
  if (state_->stopped) return absl::UnavailableError("the server is shutting down");
  if (!state_->asking || now - state_->asked < kPatience) return state_->answer;
  return absl::UnavailableError(absl::StrCat("the store has not answered for ",
                                             absl::ToInt64Seconds(now - state_->asked),
                                             " s; is its disk in order?"));
}

void Health::Stop() {
  looks_.Stop();
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopped = true;
  }
  Tell();
}

}  // namespace jobtail
