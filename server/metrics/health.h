// Whether the server would take a new run, for whoever asks and must not wait.
#ifndef JOBTAIL_SERVER_METRICS_HEALTH_H_
#define JOBTAIL_SERVER_METRICS_HEALTH_H_

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/scheduler.h"

namespace jobtail {

// Has the store asked every so often, remembers the answer, and tells of changes. A store that has
// not answered for kPatience is not healthy, whatever it said before: its calls hang. Thread-safe,
// but for Stop and the destructor, which are the owner's.
class Health {
 public:
  // Asks the store; may wait for it.
  using Check = std::function<absl::Status()>;
  // Runs a check where it may wait, some time.
  using Run = std::function<void(std::function<void()>)>;
  // Is told of the first answer and of changes; must not wait.
  using OnChange = std::function<void(bool healthy)>;

  static constexpr absl::Duration kInterval = absl::Milliseconds(500);
  static constexpr absl::Duration kPatience = absl::Seconds(5);

  // Healthy to begin with. Checks may be called, and are kept alive, beyond the end of this object,
  // if `run` still has them.
  Health(Check check, Run run, OnChange on_change, Clock* clock = Clock::System());
  ~Health();

  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // OK if the server would take a new run, or why not. Never waits.
  absl::Status Get() const;

  // Not healthy from now on: the server is shutting down. Nothing changes any more. Idempotent.
  void Stop();

 private:
  // Shared with the checks, which may come back late.
  struct State {
    absl::Mutex mutex;
    absl::Status answer ABSL_GUARDED_BY(mutex);
    bool asking ABSL_GUARDED_BY(mutex) = false;
    absl::Duration asked ABSL_GUARDED_BY(mutex);  // when, by the steady clock
    bool stopped ABSL_GUARDED_BY(mutex) = false;
  };

  void Look();
  void Ask();
  void Tell();

  const Check check_;
  const Run run_;
  const OnChange on_change_;
  Clock* const clock_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();

  absl::Mutex tell_mutex_;
  int told_ ABSL_GUARDED_BY(tell_mutex_) = -1;  // what was told last; -1 for nothing
  Scheduler looks_;                             // last: its thread uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_METRICS_HEALTH_H_
