#ifndef JOBTAIL_CLIENT_CLI_DESCRIBE_H_
#define JOBTAIL_CLIENT_CLI_DESCRIBE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "jobtail/v1/job.pb.h"
#include "jobtail/v1/run.pb.h"

namespace jobtail::client::cli {

// Jobs and runs as text for people. All of it comes from the server and is made harmless by
// Printable().

// Each job with its help, and under it a line for each parameter.
std::string DescribeJobs(const std::vector<v1::Job>& jobs);

// A table with a line for each run. `now` serves for the duration of those that still run.
std::string DescribeRuns(const std::vector<v1::Run>& runs, absl::Time now);

// All about one run, a line for each fact that is known.
std::string DescribeRun(const v1::Run& run, absl::Time now);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_DESCRIBE_H_
