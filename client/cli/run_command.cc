// The command `run`.

#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/codec/line_json.h"
#include "base/nearest_names.h"
#include "base/quoting.h"
#include "client/cli/alarm.h"
#include "client/cli/commands.h"
#include "client/cli/error_text.h"
#include "client/cli/follower.h"
#include "client/cli/interrupts.h"
#include "client/cli/parameters.h"

namespace jobtail::client::cli {
namespace {

constexpr int kMaxNamedJobs = 20;
constexpr int kTimedOut = 124;  // as timeout(1) has it

std::vector<std::string> JobNames(const Client& client) {
  const absl::StatusOr<std::vector<v1::Job>> jobs = AllJobs(client);
  std::vector<std::string> names;
  if (!jobs.ok()) return names;
  for (const v1::Job& job : *jobs) names.push_back(Printable(job.name()));
  return names;
}

// "; did you mean b?", or else "; it has: a, b and more", or nothing if that cannot be found out.
std::string KnownJobs(const Client& client, const std::string& job) {
  std::vector<std::string> names = JobNames(client);
  const std::string guess = DidYouMean(job, names);
  if (!guess.empty() || names.empty()) return guess;
  const bool more = names.size() > kMaxNamedJobs;
  if (more) names.resize(kMaxNamedJobs);
  return absl::StrCat("; it has: ", absl::StrJoin(names, ", "), more ? " and more" : "");
}

absl::StatusOr<v1::Run> Create(const CommonOptions& common, const RunOptions& options,
                               const Client& client) {
  v1::CreateRunRequest request;
  request.set_job(options.job);
  const auto parameters = ReadParameters(options.parameters);
  if (!parameters.ok()) return parameters.status();
  request.mutable_parameters()->insert(parameters->begin(), parameters->end());
  request.set_request_id(NewRequestId());
  absl::StatusOr<v1::Run> run = client.CreateRun(request);
  if (run.ok()) return CheckId(*std::move(run));
  if (!absl::IsNotFound(run.status())) return ExplainError(common, run.status());
  return absl::NotFoundError(absl::StrCat(
      "there is no job ", ShellQuoted(Printable(options.job)), " at ", Printable(common.server),
      KnownJobs(client, options.job), "; see '", common.program, " jobs'"));
}

absl::StatusOr<int> Detach(const CommonOptions& common, const v1::Run& run) {
  std::string text = run.id();
  if (common.output == OutputFormat::kJson) {
    text.clear();
    AppendJson(run, JsonFields::kAll, &text);
  }
  return PrintToStdout(text + "\n");
}

// An interrupt while the server has not yet answered.
Interrupts::Handler LeaveBeforeAnswer(const CommonOptions& common, const std::string& job) {
  return [=](int signal) {
    const std::string text = absl::StrCat(
        "jobtail: interrupted before the server answered; if the run has started, it goes on: ",
        common.program, " runs --job=", ShellQuoted(Printable(job)), "\n");
    (void)!write(STDERR_FILENO, text.data(), text.size());
    _exit(128 + signal);
  };
}

}  // namespace

absl::StatusOr<int> Execute(const CommonOptions& common, const RunOptions& options) {
  Interrupts interrupts;
  interrupts.SetHandler(LeaveBeforeAnswer(common, options.job));
  const Client client = MakeClient(common);
  const absl::StatusOr<v1::Run> run = Create(common, options, client);
  if (!run.ok()) return run.status();
  if (options.detach) return Detach(common, *run);

  const OnInterrupt on_interrupt =
      options.cancel_on_interrupt ? OnInterrupt::kCancelRun : OnInterrupt::kTellAndLeave;
  Follower follower(common, options.follow, on_interrupt, &interrupts);
  if (follower.is_terminal()) follower.Notice(absl::StrCat("run ", run->id()));
  v1::TailLogRequest request;
  request.set_run(run->id());
  request.set_follow(true);
  const Alarm alarm(options.timeout, [&] {
    follower.CancelRun(absl::StrCat("run ", run->id(), " has not ended within ",
                                    absl::FormatDuration(options.timeout), "; cancelling it"));
  });
  absl::StatusOr<int> code = follower.Follow(client, request);
  const bool was_cancelled =
      follower.result().has_value() && follower.result()->state() == v1::RUN_STATE_CANCELLED;
  if (code.ok() && alarm.has_rung() && was_cancelled) return kTimedOut;
  return code;
}

}  // namespace jobtail::client::cli
