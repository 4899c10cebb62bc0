// The checks of a job's options and of the parameters of its runs, which are the engine's.
#ifndef JOBTAIL_SERVER_RUN_JOB_CHECK_H_
#define JOBTAIL_SERVER_RUN_JOB_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/map.h"
#include "server/run/job.h"
#include "server/run/job_options.h"
#include "server/run/parameter_value.h"

namespace jobtail {

// Whether the options make sense: INVALID_ARGUMENT naming what does not.
absl::Status CheckOptions(const JobOptions& options);

// Reads the parameters of a request for the job, and fills in the defaults. INVALID_ARGUMENT for
// one that is unknown, missing or wrong.
absl::StatusOr<ParameterValues> ParseParameters(
    const Job& job, const google::protobuf::Map<std::string, std::string>& given);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_CHECK_H_
