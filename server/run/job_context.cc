#include "server/run/job_context.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace jobtail {

JobContext::JobContext(std::string run_id, ParameterValues parameters, std::stop_token stop,
                       ReportProgress report)
    : run_id_(std::move(run_id)),
      parameters_(std::move(parameters)),
      stop_(std::move(stop)),
      report_(std::move(report)) {}

bool JobContext::SleepFor(absl::Duration duration) const {
  constexpr absl::Duration kForEver = absl::Hours(24 * 365 * 100);  // which the clock can add up
  duration = std::min(duration, kForEver);
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop_, absl::ToChronoNanoseconds(duration), [] { return false; });
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
