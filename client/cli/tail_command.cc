// The commands `tail` and `export`.

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/error_text.h"
#include "client/cli/fd_writer.h"
#include "client/cli/follower.h"
#include "client/cli/interrupts.h"
#include "client/cli/multi_follower.h"
#include "client/cli/text_printer.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

absl::StatusOr<int> TailOne(const CommonOptions& common, const TailOptions& options,
                            const Client& client, Interrupts* interrupts) {
  // Asks for the run first: a wrong address or id should be told soon, however patient the
  // following is to be.
  const absl::StatusOr<v1::Run> run = FindRun(common, client, options.runs[0]);
  if (!run.ok()) return run.status();
  v1::TailLogRequest request = options.request;
  request.set_run(run->id());
  return Follower(common, options.follow, OnInterrupt::kLeave, interrupts).Follow(client, request);
}

absl::StatusOr<int> TailSeveral(const CommonOptions& common, const TailOptions& options,
                                const Client& client) {
  std::vector<v1::Run> runs;
  for (const std::string& name : options.runs) {
    absl::StatusOr<v1::Run> run = FindRun(common, client, name);
    if (!run.ok()) return run.status();
    runs.push_back(*std::move(run));
  }
  MultiFollower follower(common, options.follow, &client);
  for (const v1::Run& run : runs) follower.Add(run, options.request);
  return follower.Wait();
}

// The runs of a job that are at work, and those to come.
absl::StatusOr<int> TailJob(const CommonOptions& common, const TailOptions& options,
                            const Client& client) {
  if (const auto job = client.GetJob(options.job); !job.ok()) {
    return ExplainError(common, job.status());
  }
  v1::ListRunsRequest request;
  request.set_job(options.job);
  const auto latest = LatestRuns(client, request, 1);
  if (!latest.ok()) return ExplainError(common, latest.status());
  const std::string after =
      latest->empty() ? std::string("0") : latest->front().id();  // "0": before all
  request.add_states(v1::RUN_STATE_PENDING);
  request.add_states(v1::RUN_STATE_RUNNING);
  const auto active = LatestRuns(client, request, 0);
  if (!active.ok()) return ExplainError(common, active.status());
  MultiFollower follower(common, options.follow, &client);
  std::for_each(active->rbegin(), active->rend(),
                [&](const v1::Run& run) { follower.Add(run, options.request); });
  return follower.FollowJob(options.job, after, options.request);
}

}  // namespace

absl::StatusOr<int> Execute(const CommonOptions& common, const TailOptions& options) {
  Interrupts interrupts;
  const Client client = MakeClient(common);
  if (!options.job.empty()) return TailJob(common, options, client);
  return options.runs.size() == 1 ? TailOne(common, options, client, &interrupts)
                                  : TailSeveral(common, options, client);
}

absl::StatusOr<int> Execute(const CommonOptions& common, const ExportOptions& options) {
  const Client client = MakeClient(common);
  const absl::StatusOr<v1::Run> run = FindRun(common, client, options.request.run());
  if (!run.ok()) return run.status();
  v1::TailLogRequest request = options.request;
  request.set_run(run->id());
  Interrupts interrupts;
  Follower follower(common,
                    {.timestamps = options.timestamps,
                     .progress = false,
                     .raw = options.raw,
                     .rendered = options.rendered},
                    OnInterrupt::kLeave, &interrupts);
  const absl::StatusOr<int> code = follower.Export(client, request);
  if (!code.ok() || *code != 0) return code;
  if (!follower.result().has_value()) {
    follower.Notice(absl::StrCat("run ", run->id(), " goes on; this is its log by now"));
  }
  return 0;
}

}  // namespace jobtail::client::cli
