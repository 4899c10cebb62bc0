// `runs --watch`: a table that lives on a terminal, or a line for each change.

#include <signal.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/codec/line_json.h"
#include "client/cli/commands.h"
#include "client/cli/describe.h"
#include "client/cli/error_text.h"
#include "client/cli/interrupts.h"
#include "client/cli/live_table.h"
#include "client/cli/style.h"

namespace jobtail::client::cli {
namespace {

std::unique_ptr<RunWatcher> MakeWatcher(const CommonOptions& common, const Client& client,
                                        const RunsOptions& options, const std::string& after) {
  v1::WatchRunsRequest request;
  request.set_job(options.job);
  return client.Watch(std::move(request), {.after = after, .resume = MakeResumeOptions(common)});
}

// Prints a line for each run whose state is another than before.
class ChangePrinter {
 public:
  explicit ChangePrinter(const CommonOptions& common)
      : json_(common.output == OutputFormat::kJson),
        color_(UsesColor(common.color, STDOUT_FILENO)) {}

  absl::StatusOr<int> Print(const v1::Run& run) {
    if (json_) {
      std::string line;
      AppendJson(run, JsonFields::kAll, &line);
      return PrintToStdout(line + "\n");
    }
    const int state = run.has_delete_time() ? -1 : run.state();
    const auto [known, is_new] = states_.emplace(run.id(), state);
    if (!is_new && known->second == state) return 0;
    known->second = state;
    if (run.has_delete_time()) states_.erase(known);
    return PrintToStdout(DescribeChange(run, absl::Now(), color_));
  }

 private:
  const bool json_;
  const bool color_;
  std::map<std::string, int> states_;
};

bool IsWanted(const v1::Run& run, const RunsOptions& options) {
  if (options.states.empty()) return true;
  for (const v1::RunState state : options.states) {
    if (run.state() == state) return true;
  }
  return false;
}

absl::StatusOr<int> PrintChanges(const CommonOptions& common, const RunsOptions& options,
                                 const std::vector<v1::Run>& runs, RunWatcher* watcher) {
  ChangePrinter printer(common);
  for (size_t i = runs.size(); i-- > 0;) {  // the oldest first
    if (const auto code = printer.Print(runs[i]); !code.ok() || *code != 0) return code;
  }
  while (true) {
    const absl::StatusOr<v1::Run> run = watcher->Next();
    if (!run.ok()) return ExplainError(common, run.status());
    if (!IsWanted(*run, options)) continue;
    if (const auto code = printer.Print(*run); !code.ok() || *code != 0) return code;
  }
}

}  // namespace

absl::StatusOr<int> Watch(const CommonOptions& common, const RunsOptions& options) {
  Interrupts interrupts;
  const Client client = MakeClient(common);
  const auto runs = LatestRuns(client, ListRequest(options), options.limit);
  if (!runs.ok()) return ExplainError(common, runs.status());
  const auto watcher =
      MakeWatcher(common, client, options, runs->empty() ? "0" : runs->front().id());
  if (common.output == OutputFormat::kJson || isatty(STDOUT_FILENO) != 1) {
    return PrintChanges(common, options, *runs, watcher.get());
  }
  LiveTable table(common, options, *runs, &client, watcher.get());
  interrupts.SetHandler([&](int signal) { table.Leave(signal); });
  const absl::StatusOr<int> code = table.Show();
  interrupts.SetHandler(nullptr);
  return code;
}

}  // namespace jobtail::client::cli
