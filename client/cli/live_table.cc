// `runs --watch` on a terminal.

#include "client/cli/live_table.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "base/display_width.h"
#include "base/quoting.h"
#include "client/cli/commands.h"
#include "client/cli/describe.h"
#include "client/cli/error_text.h"
#include "client/cli/style.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

// The terminal's codes (ECMA-48, and xterm's for the second screen and the cursor).
constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l";
constexpr char kLeave[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kClearRestOfLine[] = "\x1b[K";
constexpr char kClearRest[] = "\x1b[J";

constexpr absl::Duration kShortest = absl::Milliseconds(100);  // between two drawings
constexpr absl::Duration kLongest = absl::Milliseconds(500);
constexpr absl::Duration kAsking = absl::Seconds(1);

absl::Status WriteToStdout(const std::string& text) {
  const absl::StatusOr<int> code = PrintToStdout(text);
  if (!code.ok()) return code.status();
  return *code == 0 ? absl::OkStatus() : absl::AbortedError("nobody reads it any more");
}

}  // namespace

LiveTable::LiveTable(CommonOptions common, RunsOptions options, const std::vector<v1::Run>& runs,
                     const Client* client, RunWatcher* watcher)
    : common_(std::move(common)),
      options_(std::move(options)),
      client_(client),
      watcher_(watcher),
      color_(UsesColor(common_.color, STDOUT_FILENO)) {
  for (const v1::Run& run : runs) runs_.emplace(run.id(), run);
}

absl::StatusOr<int> LiveTable::Show() {
  std::thread reader([this] { ReadChanges(); });
  std::thread asker([this] { AskForProgress(); });
  (void)WriteToStdout(kEnter);
  const absl::Status drawn = DrawUntilLeft();
  (void)WriteToStdout(kLeave);
  ended_.Raise();
  watcher_->Cancel();
  reader.join();
  asker.join();
  if (!drawn.ok()) return drawn;
  absl::MutexLock lock(&mutex_);
  TableLook look = {.color = color_, .columns = SizeOf(STDOUT_FILENO).columns};
  (void)WriteToStdout(DescribeRuns(RunsLocked(), absl::Now(), look));
  if (signal_ != 0) return 128 + signal_;
  return ExplainError(common_, failure_);
}

void LiveTable::Leave(int signal) {
  absl::MutexLock lock(&mutex_);
  signal_ = signal;
  changed_.Raise();
}

void LiveTable::ReadChanges() {
  while (true) {
    const absl::StatusOr<v1::Run> run = watcher_->Next();
    absl::MutexLock lock(&mutex_);
    changed_.Raise();
    if (!run.ok()) {
      failure_ = run.status();
      return;
    }
    NoteLocked(*run);
  }
}

void LiveTable::AskForProgress() {
  v1::ListRunsRequest request;
  request.set_job(options_.job);
  request.add_states(v1::RUN_STATE_RUNNING);
  while (!ended_.Await(kAsking)) {
    const absl::StatusOr<v1::ListRunsResponse> running = client_->ListRuns(request);
    if (!running.ok()) continue;  // the watcher tells of a server that is away
    absl::MutexLock lock(&mutex_);
    for (const v1::Run& run : running->runs()) {
      const auto known = runs_.find(run.id());
      if (known == runs_.end() || IsFinal(known->second.state()) || !run.has_progress()) continue;
      *known->second.mutable_progress() = run.progress();
    }
  }
}

void LiveTable::NoteLocked(const v1::Run& run) {
  const bool is_wanted = options_.states.empty() ||
                         std::find(options_.states.begin(), options_.states.end(), run.state()) !=
                             options_.states.end();
  if (run.has_delete_time() || !is_wanted) {
    runs_.erase(run.id());
  } else {
    runs_[run.id()] = run;
  }
  while (options_.limit > 0 && static_cast<int64_t>(runs_.size()) > options_.limit) {
    runs_.erase(std::prev(runs_.end()));
  }
}

std::vector<v1::Run> LiveTable::RunsLocked() const {
  std::vector<v1::Run> runs;
  for (const auto& [id, run] : runs_) runs.push_back(run);
  return runs;
}

// The screen's contents, from its first line to its last.
std::string LiveTable::FrameLocked() const {
  const TerminalSize size = SizeOf(STDOUT_FILENO);
  std::vector<v1::Run> runs = RunsLocked();
  const size_t room = size.rows > 3 ? size.rows - 3 : 1;  // less the head, and the line below
  const size_t hidden = runs.size() > room ? runs.size() - room : 0;
  runs.resize(runs.size() - hidden);
  const std::string below = absl::StrCat(
      hidden > 0 ? absl::StrCat("and ", hidden, " more; ") : "", "runs at ",
      Printable(common_.server), ", ",
      absl::FormatTime("%H:%M:%S", absl::Now(), absl::LocalTimeZone()), "; Ctrl-C ends this");
  const std::string table =
      DescribeRuns(runs, absl::Now(), {.color = color_, .columns = size.columns});
  const std::string cut = FitToWidth(below, size.columns > 1 ? size.columns - 1 : 1);
  const std::string end_of_line = absl::StrCat(kClearRestOfLine, "\r\n");
  return absl::StrCat(kHome, absl::StrReplaceAll(table, {{"\n", end_of_line}}), kClearRestOfLine,
                      "\r\n", color_ ? Painted(cut, Paint::kDim) : cut, kClearRestOfLine,
                      kClearRest);
}

absl::Status LiveTable::Draw() {
  std::string frame;
  {
    absl::MutexLock lock(&mutex_);
    changed_.Lower();
    frame = FrameLocked();
  }
  return WriteToStdout(frame);
}

absl::Status LiveTable::DrawUntilLeft() {
  while (true) {
    if (absl::Status drawn = Draw(); !drawn.ok()) return drawn;
    absl::SleepFor(kShortest);
    changed_.Await(kLongest);
    absl::MutexLock lock(&mutex_);
    if (signal_ != 0 || !failure_.ok()) return absl::OkStatus();
  }
}

}  // namespace jobtail::client::cli
