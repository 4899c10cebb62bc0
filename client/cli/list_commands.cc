// The commands that ask once and print the answer: jobs, runs, show, cancel, rm, whoami.

#include <google/protobuf/message.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/codec/line_json.h"
#include "base/quoting.h"
#include "client/cli/commands.h"
#include "client/cli/describe.h"
#include "client/cli/error_text.h"
#include "client/cli/style.h"
#include "client/page_tokens.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

constexpr int kPageSize = 1000;

template <typename Message>
std::string JsonLines(const std::vector<Message>& messages) {
  std::string lines;
  for (const Message& message : messages) {
    AppendJson(message, JsonFields::kAll, &lines);
    lines.push_back('\n');
  }
  return lines;
}

// How to show something on stdout.
TableLook LookOf(const CommonOptions& common) {
  TableLook look = {.color = UsesColor(common.color, STDOUT_FILENO)};
  if (isatty(STDOUT_FILENO) == 1) look.columns = SizeOf(STDOUT_FILENO).columns;
  return look;
}

std::string DescribeCancel(const v1::Run& run) {
  return IsFinal(run.state())
             ? absl::StrCat("run ", Printable(run.id()),
                            " had already ended: ", StateName(run.state()), "\n")
             : absl::StrCat("run ", Printable(run.id()), " has been asked to stop\n");
}

absl::StatusOr<std::vector<v1::Job>> OneJob(const Client& client, const std::string& name) {
  const absl::StatusOr<v1::Job> job = client.GetJob(name);
  if (!job.ok()) return job.status();
  return std::vector<v1::Job>{*job};
}

}  // namespace

absl::StatusOr<std::vector<v1::Job>> AllJobs(const Client& client) {
  std::vector<v1::Job> jobs;
  PageTokens tokens;
  v1::ListJobsRequest request;
  request.set_page_size(kPageSize);
  do {
    absl::StatusOr<v1::ListJobsResponse> page = client.ListJobs(request);
    if (!page.ok()) return page.status();
    const int entries = page->jobs_size();
    std::move(page->mutable_jobs()->begin(), page->mutable_jobs()->end(), std::back_inserter(jobs));
    request.set_page_token(page->next_page_token());
    if (absl::Status noted = tokens.Note(request.page_token(), entries); !noted.ok()) return noted;
  } while (!request.page_token().empty());
  return jobs;
}

absl::StatusOr<std::vector<v1::Run>> LatestRuns(const Client& client, v1::ListRunsRequest request,
                                                int64_t limit) {
  const size_t most = limit > 0 ? limit : SIZE_MAX;
  std::vector<v1::Run> runs;
  PageTokens tokens;
  do {
    request.set_page_size(static_cast<int>(std::min<size_t>(most - runs.size(), kPageSize)));
    absl::StatusOr<v1::ListRunsResponse> page = client.ListRuns(request);
    if (!page.ok()) return page.status();
    const int entries = page->runs_size();
    std::move(page->mutable_runs()->begin(), page->mutable_runs()->end(), std::back_inserter(runs));
    request.set_page_token(page->next_page_token());
    if (absl::Status noted = tokens.Note(request.page_token(), entries); !noted.ok()) return noted;
  } while (!request.page_token().empty() && runs.size() < most);
  return runs;
}

v1::ListRunsRequest ListRequest(const RunsOptions& options) {
  v1::ListRunsRequest request;
  request.set_job(options.job);
  for (const v1::RunState state : options.states) request.add_states(state);
  return request;
}

absl::StatusOr<v1::Run> FindRun(const CommonOptions& common, const Client& client,
                                const std::string& run) {
  absl::StatusOr<v1::Run> found = client.GetRun(run);
  if (!found.ok()) return ExplainRunError(common, run, found.status());
  return CheckId(*std::move(found));
}

absl::StatusOr<v1::Run> CheckId(v1::Run run) {
  const auto fits = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; };
  const std::string& id = run.id();
  if (!id.empty() && id.front() != '-' && std::all_of(id.begin(), id.end(), fits)) return run;
  return absl::InternalError(absl::StrCat("the server's run has the id ",
                                          ShellQuoted(Printable(id)),
                                          ", which is none; is that a jobtail server?"));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const JobsOptions& options) {
  const Client client = MakeClient(common);
  const auto jobs = options.job.empty() ? AllJobs(client) : OneJob(client, options.job);
  if (!jobs.ok()) return ExplainError(common, jobs.status());
  return PrintToStdout(common.output == OutputFormat::kJson
                           ? JsonLines(*jobs)
                           : DescribeJobs(*jobs, {.color = LookOf(common).color}));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const RunsOptions& options) {
  if (options.watch) return Watch(common, options);
  const auto runs = LatestRuns(MakeClient(common), ListRequest(options), options.limit);
  if (!runs.ok()) return ExplainError(common, runs.status());
  return PrintToStdout(common.output == OutputFormat::kJson
                           ? JsonLines(*runs)
                           : DescribeRuns(*runs, absl::Now(), LookOf(common)));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const ShowOptions& options) {
  const absl::StatusOr<v1::Run> run = FindRun(common, MakeClient(common), options.run);
  if (!run.ok()) return run.status();
  return PrintToStdout(common.output == OutputFormat::kJson
                           ? JsonLines<v1::Run>({*run})
                           : DescribeRun(*run, absl::Now(), {.color = LookOf(common).color}));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const CancelOptions& options) {
  const absl::StatusOr<v1::Run> run = MakeClient(common).CancelRun(options.run);
  if (!run.ok()) return ExplainRunError(common, options.run, run.status());
  return PrintToStdout(common.output == OutputFormat::kJson ? JsonLines<v1::Run>({*run})
                                                            : DescribeCancel(*run));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const WhoAmIOptions& /*options*/) {
  const absl::StatusOr<v1::WhoAmIResponse> who = MakeClient(common).WhoAmI();
  if (!who.ok()) return ExplainError(common, who.status());
  return PrintToStdout(common.output == OutputFormat::kJson
                           ? JsonLines<v1::WhoAmIResponse>({*who})
                           : DescribeCaller(*who, {.color = LookOf(common).color}));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const RmOptions& options) {
  const Client client = MakeClient(common);
  // By its whole id: if the answer gets lost, the beginning of one could name another run by then.
  const absl::StatusOr<v1::Run> run = FindRun(common, client, options.run);
  if (!run.ok()) return run.status();
  const absl::Status status = client.DeleteRun(run->id());
  if (!status.ok()) return ExplainRunError(common, options.run, status);
  return 0;
}

}  // namespace jobtail::client::cli
