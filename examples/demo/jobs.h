// The jobs of the demo server.
#ifndef JOBTAIL_EXAMPLES_DEMO_JOBS_H_
#define JOBTAIL_EXAMPLES_DEMO_JOBS_H_

#include "absl/status/status.h"
#include "server/server.h"

namespace demo {

// Adds jobs that show a feature each. They print as any C++ code prints; nothing in them knows of
// logs or streams.
absl::Status AddJobs(jobtail::Server& server);

}  // namespace demo

#endif  // JOBTAIL_EXAMPLES_DEMO_JOBS_H_
