// The commands as functions of their options, and what several of them share.
#ifndef JOBTAIL_CLIENT_CLI_COMMANDS_H_
#define JOBTAIL_CLIENT_CLI_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/client.h"

namespace jobtail::client::cli {

// The client that a command uses. Whoever has mistyped the server's address learns it after three
// seconds; following a run is more patient, see FollowOptions.
Client MakeClient(const CommonOptions& common);

// For one reader: it goes on with a new token where its own has expired.
ResumeOptions MakeResumeOptions(const CommonOptions& common);

// Writes `text` to stdout. Returns the exit code: 0, or that of a process killed by SIGPIPE if
// nobody reads it.
absl::StatusOr<int> PrintToStdout(const std::string& text);

// All pages of a list. `limit` 0: all runs.
absl::StatusOr<std::vector<v1::Job>> AllJobs(const Client& client);
absl::StatusOr<std::vector<v1::Run>> LatestRuns(const Client& client, v1::ListRunsRequest request,
                                                int64_t limit);

// The run that an id, or the beginning of one, names; an error for people.
absl::StatusOr<v1::Run> FindRun(const CommonOptions& common, const Client& client,
                                const std::string& run);

// The run, if its id can be one: it is printed, and pasted into a shell.
absl::StatusOr<v1::Run> CheckId(v1::Run run);

// The request that lists the runs which `options` ask for.
v1::ListRunsRequest ListRequest(const RunsOptions& options);

// `runs --watch`.
absl::StatusOr<int> Watch(const CommonOptions& common, const RunsOptions& options);

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
absl::StatusOr<int> Execute(const CommonOptions& common, const ExportOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const WhoAmIOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const LoginOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const LogoutOptions& options);
absl::StatusOr<int> Execute(const CommonOptions& common, const CompletionOptions& options);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_COMMANDS_H_
