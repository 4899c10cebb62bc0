// The options of a job: limits, retention, masks, a process of its own.
#ifndef JOBTAIL_SERVER_RUN_JOB_OPTIONS_H_
#define JOBTAIL_SERVER_RUN_JOB_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time_span.h"
#include "capture/scope.h"

namespace jobtail {

// How many runs of a job, or of all jobs, there may be at a time.
struct RunLimits {
  std::optional<int64_t> max_running = {};  // at work; nullopt: without limit
  int64_t max_queued = 0;                   // waiting for a place
};

// What is kept of a job's runs. Unset: as the server keeps all runs.
struct JobRetention {
  std::optional<TimeSpan> max_age = {};       // since the run's end
  std::optional<int64_t> max_runs = {};       // of this job, those that have not ended counted
  std::optional<int64_t> max_run_bytes = {};  // of one log
};

// How a function is called in a process of its own.
struct ChildProcess {
  // How long it has, once its stop token asks it to stop, before the process is killed.
  TimeSpan grace = absl::Seconds(10);
  // Its stdout and stderr go through datagram sockets that keep their common order, not through a
  // pipe each. A single write of more than a MiB fails then.
  bool exact_order = false;
};

// What becomes of lines that end in "\r", which the next one overwrites.
enum class Overwrites {
  kKeepFew,  // kept, but at OverwriteSink's bounds thinned out
  kKeep,     // kept
  kThin,     // thinned out: what is overwritten within a tenth of a second is left out
};

// What a job declares beside its name, its parameters and what executes it. See Job.
struct JobOptions {
  RunLimits limits = {};
  JobRetention retention = {};
  std::vector<std::string> masks = {};  // in RE2's syntax
  Overwrites overwrites = Overwrites::kKeepFew;
  std::optional<ChildProcess> child_process = {};
  std::optional<capture::Options> capture = {};  // nullopt: as by default
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_OPTIONS_H_
