// The view that a job's function has of its run.
#ifndef JOBTAIL_SERVER_RUN_JOB_CONTEXT_H_
#define JOBTAIL_SERVER_RUN_JOB_CONTEXT_H_

#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "absl/time/time.h"
#include "base/clock.h"
#include "server/run/parameter.h"

namespace jobtail {

// What a job's function knows of its run. Valid during the call of the function; may be used by all
// its threads.
class JobContext {
 public:
  using ReportProgress = std::function<void(double fraction, std::string_view text)>;

  // `clock` is what SleepFor goes by.
  JobContext(std::string run_id, ParameterValues parameters, std::stop_token stop,
             ReportProgress report, Clock* clock = Clock::System());

  const std::string& run_id() const { return run_id_; }

  // The value of a declared parameter. T is std::string, int64_t, double, bool or absl::Duration,
  // as declared. A name that is not declared or has another type throws std::invalid_argument,
  // which ends the run as FAILED.
  template <typename T>
  const T& Get(const std::string& name) const {
    const T* value = std::get_if<T>(&Find(name));
    if (!value) throw std::invalid_argument("parameter " + name + " is declared with another type");
    return *value;
  }

  // Asks to stop on CancelRun, on the job's timeout and on the server's shutdown.
  const std::stop_token& stop_token() const { return stop_; }

  // Sleeps, by the steady clock. False, at once, when the run is asked to stop.
  bool SleepFor(absl::Duration duration) const;

  // Tells how far the run has come: the part that is done, 0 to 1, and what is being done. Readers
  // see the latest.
  void Progress(double fraction, std::string_view text = "") const { report_(fraction, text); }

 private:
  const ParameterValue& Find(const std::string& name) const;

  const std::string run_id_;
  const ParameterValues parameters_;
  const std::stop_token stop_;
  const ReportProgress report_;
  Clock* const clock_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_CONTEXT_H_
