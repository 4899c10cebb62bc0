// What a job can ask and tell.
#include "server/run/job_context.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace jobtail {

JobContext::JobContext(std::string run_id, ParameterValues parameters, std::stop_token stop,
                       ReportProgress report, Clock* clock)
    : run_id_(std::move(run_id)),
      parameters_(std::move(parameters)),
      stop_(std::move(stop)),
      report_(std::move(report)),
      clock_(clock) {}

bool JobContext::SleepFor(absl::Duration duration) const {
  const absl::Duration end = clock_->Steady() + duration;
  std::mutex mutex;
  std::condition_variable stopped;
  const std::stop_callback wake(stop_, [&] {
    const std::lock_guard lock(mutex);
    stopped.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!stop_.stop_requested() && clock_->Steady() < end) clock_->WaitUntil(end, lock, stopped);
  return !stop_.stop_requested();
}

const ParameterValue& JobContext::Find(const std::string& name) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) {
    throw std::invalid_argument("parameter " + name + " is not declared");
  }
  return found->second;
}

}  // namespace jobtail
