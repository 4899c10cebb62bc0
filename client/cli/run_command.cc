#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"
#include "client/cli/error_text.h"
#include "client/cli/follower.h"
#include "client/cli/interrupts.h"
#include "client/cli/json.h"
#include "client/cli/text.h"

namespace jobtail::client::cli {
namespace {

constexpr int kMaxNamedJobs = 20;

// "; it has: a, b and more", or nothing if that cannot be found out.
std::string KnownJobs(const Client& client) {
  v1::ListJobsRequest request;
  request.set_page_size(kMaxNamedJobs);
  const absl::StatusOr<v1::ListJobsResponse> response = client.ListJobs(request);
  if (!response.ok()) return "";
  std::vector<std::string> names;
  for (const v1::Job& job : response->jobs()) names.push_back(Printable(job.name()));
  if (names.empty()) return "; it has none at all";
  return absl::StrCat("; it has: ", absl::StrJoin(names, ", "),
                      response->next_page_token().empty() ? "" : " and more");
}

// The id is printed, and pasted into a shell: it must be what it claims to be.
absl::StatusOr<v1::Run> Checked(v1::Run run) {
  const auto fits = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; };
  if (!run.id().empty() && std::all_of(run.id().begin(), run.id().end(), fits)) return run;
  return absl::InternalError(absl::StrCat("the server's run has the id ",
                                          ShellQuoted(Printable(run.id())),
                                          ", which is none; is that a jobtail server?"));
}

absl::StatusOr<v1::Run> Create(const CommonOptions& common, const RunOptions& options,
                               const Client& client) {
  v1::CreateRunRequest request;
  request.set_job(options.job);
  request.mutable_parameters()->insert(options.parameters.begin(), options.parameters.end());
  request.set_request_id(NewRequestId());
  absl::StatusOr<v1::Run> run = client.CreateRun(request);
  if (run.ok()) return Checked(*std::move(run));
  if (!absl::IsNotFound(run.status())) return Explained(common, run.status());
  return absl::NotFoundError(absl::StrCat("there is no job ", ShellQuoted(Printable(options.job)),
                                          " at ", Printable(common.server), KnownJobs(client),
                                          "; see '", common.program, " jobs'"));
}

absl::StatusOr<int> Detach(const CommonOptions& common, const v1::Run& run) {
  std::string text = run.id();
  if (common.output == OutputFormat::kJson) {
    text.clear();
    AppendJson(run, &text);
  }
  return Emit(text + "\n");
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
  return follower.Follow(client, request);
}

absl::StatusOr<int> Execute(const CommonOptions& common, const TailOptions& options) {
  Interrupts interrupts;
  const Client client = MakeClient(common);
  // Asks for the run first: a wrong address or id should be told soon, however patient the
  // following is to be.
  const absl::StatusOr<v1::Run> run = client.GetRun(options.request.run());
  if (!run.ok()) return ExplainedForRun(common, options.request.run(), run.status());
  return Follower(common, options.follow, OnInterrupt::kLeave, &interrupts)
      .Follow(client, options.request);
}

}  // namespace jobtail::client::cli
