// Jobs and runs as tables and paragraphs for people.
#ifndef JOBTAIL_CLIENT_CLI_DESCRIBE_H_
#define JOBTAIL_CLIENT_CLI_DESCRIBE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/table.h"
#include "jobtail/v1/access.pb.h"
#include "jobtail/v1/job.pb.h"
#include "jobtail/v1/run.pb.h"

namespace jobtail::client::cli {

// Jobs and runs as text for people. All of it comes from the server and is made harmless by
// Printable().

// Each job with its help, and under it a line for each parameter.
std::string DescribeJobs(const std::vector<v1::Job>& jobs, const TableLook& look = {});

// A table with a line for each run. `now` serves for the duration of those that still run. Where
// the look's columns are too few, ids are short.
std::string DescribeRuns(const std::vector<v1::Run>& runs, absl::Time now,
                         const TableLook& look = {});

// All about one run, a line for each fact that is known.
std::string DescribeRun(const v1::Run& run, absl::Time now, const TableLook& look = {});

// Who the caller is, and a line for each thing that it may do (describe_caller.cc).
std::string DescribeCaller(const v1::WhoAmIResponse& who, const TableLook& look = {});

// A change of a run on one line: "2024-05-06 07:08:09  ID  countdown  FAILED  12.3s  exit 3".
std::string DescribeChange(const v1::Run& run, absl::Time now, bool color);

// "45% step 3 (1.2s left)".
std::string DescribeProgress(const v1::RunProgress& progress);

// The beginning of a run's id that no other run of the same server shares: it has the time of its
// start to a 4096th of a millisecond, which the server gives out once.
std::string ShortId(const std::string& id);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_DESCRIBE_H_
