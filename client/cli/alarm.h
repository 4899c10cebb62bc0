#ifndef JOBTAIL_CLIENT_CLI_ALARM_H_
#define JOBTAIL_CLIENT_CLI_ALARM_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobtail::client::cli {

// A function that is called once, after a time, in a thread of its own. Destroying the alarm before
// then stops it; afterwards, waits for the function to return.
class Alarm {
 public:
  // absl::InfiniteDuration() is never.
  Alarm(absl::Duration after, std::function<void()> ring);
  ~Alarm();

  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Whether it has called, or is about to.
  bool has_rung() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_rung_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_ALARM_H_
