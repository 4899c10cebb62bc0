#ifndef JOBTAIL_CLIENT_CLI_COMMANDS_H_
#define JOBTAIL_CLIENT_CLI_COMMANDS_H_

#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/client.h"

namespace jobtail::client::cli {

// The client that a command uses. Whoever has mistyped the server's address learns it after three
// seconds; following a run is more patient, see FollowOptions.
Client MakeClient(const CommonOptions& common);

// Writes `text` to stdout. The exit code: 0, or as if killed by SIGPIPE if nobody reads it.
absl::StatusOr<int> Emit(const std::string& text);

// Each does what one command line says and returns the exit code, or an error whose message is
// ready for the person who typed it.
//
// Run and tail may leave threads behind that are in the middle of a call: end the process without
// destroying static objects, by _exit().
absl::StatusOr<int> Execute(const CommonOptions& common, const RunOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const TailOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const JobsOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const RunsOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const ShowOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const CancelOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const RmOptions& options);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_COMMANDS_H_
