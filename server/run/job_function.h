// What a job's function is to whoever calls it, and what comes of it.
#ifndef JOBTAIL_SERVER_RUN_JOB_FUNCTION_H_
#define JOBTAIL_SERVER_RUN_JOB_FUNCTION_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace jobtail {

class JobContext;

// What a run's processes have used, from its start to its end.
struct ResourceUsage {
  absl::Duration user_time = absl::ZeroDuration();
  absl::Duration system_time = absl::ZeroDuration();
  int64_t peak_memory_bytes = 0;  // of the largest process
};

// What a job reported when it ended by itself. Success is exit code 0 and no error.
struct JobResult {
  int exit_code = 0;
  std::string error = {};
  int signal = 0;  // that ended the process; 0 if none did
  bool core_dumped = false;
  std::optional<ResourceUsage> usage = std::nullopt;  // of a process
};

using JobFunction = std::function<JobResult(JobContext&)>;

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_FUNCTION_H_
