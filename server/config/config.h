// The reader of the config file.
#ifndef JOBTAIL_SERVER_CONFIG_CONFIG_H_
#define JOBTAIL_SERVER_CONFIG_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/process/process_pool.h"
#include "server/run/job.h"

namespace jobtail::config {

// Reads a config file: a Config of proto/jobtail/config/v1/config.proto in protobuf's text format.
// Its jobs are executed by the pool, which outlives them. INVALID_ARGUMENT with a line
// `file:line:column: what, and what would be right` for each mistake; NOT_FOUND or
// PERMISSION_DENIED for a file that cannot be read, FAILED_PRECONDITION for one that others can
// write (see ReadTrustedFile).
absl::StatusOr<std::vector<Job>> Load(const std::string& file, process::ProcessPool* pool);

// The same for its text; `file` is for messages alone.
absl::StatusOr<std::vector<Job>> Parse(const std::string& text, const std::string& file,
                                       process::ProcessPool* pool);

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_CONFIG_H_
