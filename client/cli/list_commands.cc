#include <google/protobuf/message.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/commands.h"
#include "client/cli/describe.h"
#include "client/cli/error_text.h"
#include "client/cli/json.h"
#include "client/cli/text.h"
#include "client/outcome.h"

namespace jobtail::client::cli {
namespace {

constexpr int kPageSize = 1000;

template <typename Message>
std::string JsonLines(const std::vector<Message>& messages) {
  std::string lines;
  for (const Message& message : messages) {
    AppendJson(message, &lines);
    lines.push_back('\n');
  }
  return lines;
}

absl::StatusOr<std::vector<v1::Job>> AllJobs(const Client& client) {
  std::vector<v1::Job> jobs;
  v1::ListJobsRequest request;
  request.set_page_size(kPageSize);
  do {
    absl::StatusOr<v1::ListJobsResponse> page = client.ListJobs(request);
    if (!page.ok()) return page.status();
    std::move(page->mutable_jobs()->begin(), page->mutable_jobs()->end(), std::back_inserter(jobs));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return jobs;
}

absl::StatusOr<std::vector<v1::Run>> LatestRuns(const Client& client, const RunsOptions& options) {
  const size_t limit = options.limit > 0 ? options.limit : SIZE_MAX;
  std::vector<v1::Run> runs;
  v1::ListRunsRequest request;
  request.set_job(options.job);
  for (v1::RunState state : options.states) request.add_states(state);
  do {
    request.set_page_size(static_cast<int>(std::min<size_t>(limit - runs.size(), kPageSize)));
    absl::StatusOr<v1::ListRunsResponse> page = client.ListRuns(request);
    if (!page.ok()) return page.status();
    std::move(page->mutable_runs()->begin(), page->mutable_runs()->end(), std::back_inserter(runs));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && runs.size() < limit);
  return runs;
}

std::string DescribeCancel(const v1::Run& run) {
  return IsFinal(run.state())
             ? absl::StrCat("run ", Printable(run.id()),
                            " had already ended: ", StateName(run.state()), "\n")
             : absl::StrCat("run ", Printable(run.id()), " has been asked to stop\n");
}

}  // namespace

absl::StatusOr<int> Execute(const CommonOptions& common, const JobsOptions& options) {
  const absl::StatusOr<std::vector<v1::Job>> jobs = AllJobs(MakeClient(common));
  if (!jobs.ok()) return Explained(common, jobs.status());
  return Emit(common.output == OutputFormat::kJson ? JsonLines(*jobs) : DescribeJobs(*jobs));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const RunsOptions& options) {
  const absl::StatusOr<std::vector<v1::Run>> runs = LatestRuns(MakeClient(common), options);
  if (!runs.ok()) return Explained(common, runs.status());
  return Emit(common.output == OutputFormat::kJson ? JsonLines(*runs)
                                                   : DescribeRuns(*runs, absl::Now()));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const ShowOptions& options) {
  const absl::StatusOr<v1::Run> run = MakeClient(common).GetRun(options.run);
  if (!run.ok()) return ExplainedForRun(common, options.run, run.status());
  return Emit(common.output == OutputFormat::kJson ? JsonLines<v1::Run>({*run})
                                                   : DescribeRun(*run, absl::Now()));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const CancelOptions& options) {
  const absl::StatusOr<v1::Run> run = MakeClient(common).CancelRun(options.run);
  if (!run.ok()) return ExplainedForRun(common, options.run, run.status());
  return Emit(common.output == OutputFormat::kJson ? JsonLines<v1::Run>({*run})
                                                   : DescribeCancel(*run));
}

absl::StatusOr<int> Execute(const CommonOptions& common, const RmOptions& options) {
  const absl::Status status = MakeClient(common).DeleteRun(options.run);
  if (!status.ok()) return ExplainedForRun(common, options.run, status);
  return 0;
}

}  // namespace jobtail::client::cli
