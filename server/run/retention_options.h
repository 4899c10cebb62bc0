// What a server keeps of runs and logs.
#ifndef JOBTAIL_SERVER_RUN_RETENTION_OPTIONS_H_
#define JOBTAIL_SERVER_RUN_RETENTION_OPTIONS_H_

#include <cstdint>

#include "base/time_span.h"

namespace jobtail {

// What is kept of runs and logs. 0 means without limit, for each of them. A run that has not ended
// is never deleted; of a log that is too large the beginning goes, whether the run has ended or
// not.
struct RetentionOptions {
  TimeSpan max_age = absl::ZeroDuration();  // since the run's end
  int64_t max_total_bytes = 0;              // of all logs; bytes of records as they are encoded
  int64_t max_run_bytes = 0;                // of one log
  int64_t max_runs = 0;                     // those that have not ended counted
  TimeSpan interval = absl::Seconds(10);    // how often it is looked after
  // Since the start: for so long no run of an earlier process is deleted for its age.
  TimeSpan settling = absl::Minutes(10);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RETENTION_OPTIONS_H_
