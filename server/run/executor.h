// What a run is to whoever executes it.
#ifndef JOBTAIL_SERVER_RUN_EXECUTOR_H_
#define JOBTAIL_SERVER_RUN_EXECUTOR_H_

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "capture/sink.h"
#include "server/run/job_function.h"
#include "server/run/parameter_value.h"

namespace jobtail {

// A run, as that sees it which executes the job. Implemented by Run. Thread-safe.
class Execution {
 public:
  virtual const std::string& id() const = 0;
  virtual const std::string& job() const = 0;
  virtual const ParameterValues& parameters() const = 0;

  // Asks to stop on CancelRun, on the job's timeout and on the server's shutdown.
  virtual std::stop_token stop_token() const = 0;

  // What tells the job how much time has passed.
  virtual Clock* clock() const { return Clock::System(); }
  // What calls back later, by that clock, on a thread that many runs share: nothing may block in
  // it. Outlives the run's end.
  virtual Scheduler* timers() const = 0;

  // Where lines go that the job prints. Valid until Ended.
  virtual capture::Sink& output() = 0;

  // The job is at work from now on. Called once. Blocks while the store takes note of it.
  virtual void Started() = 0;
  virtual void ReportProgress(double fraction, std::string_view text) = 0;

  // The job is no longer at work; all it printed has been given to output(). Called once, and
  // nothing after it. Blocks until the store has it, which may take as long as a disk is full.
  virtual void Ended(const JobResult& result) = 0;

 protected:
  ~Execution() = default;
};

// What executes a job's runs: calls a function on a thread, starts a process. Belongs to the job;
// lives as long as any of its runs. Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // INVALID_ARGUMENT for values that the job's declaration allows, but not the way it is executed.
  virtual absl::Status CheckParameters(const ParameterValues& parameters) const {
    return absl::OkStatus();
  }

  // Begins, without waiting for the end: then, and only if OK was returned, `run` is told. An error
  // is for whoever asked for the run; RESOURCE_EXHAUSTED if the system has nothing to run it with.
  virtual absl::Status Start(std::shared_ptr<Execution> run) const = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_EXECUTOR_H_
