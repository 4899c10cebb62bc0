// Several runs followed at once, a thread for each.

#include "client/cli/multi_follower.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "client/cli/commands.h"
#include "client/cli/describe.h"
#include "client/cli/error_text.h"
#include "client/cli/json_printer.h"
#include "client/cli/prefix_printer.h"
#include "client/cli/screen_printer.h"
#include "client/cli/style.h"
#include "client/run_state.h"
#include "client/status_text.h"

namespace jobtail::client::cli {

MultiFollower::MultiFollower(CommonOptions common, const FollowOptions& options,
                             const Client* client)
    : common_(std::move(common)),
      options_(options),
      client_(client),
      color_(UsesColor(common_.color, STDOUT_FILENO)),
      out_(STDOUT_FILENO, "stdout"),
      err_(STDERR_FILENO, "stderr"),
      output_(&out_, &err_) {
  if (options_.rendered) ticker_.emplace(kTick, [this] { Tick(); });
}

MultiFollower::~MultiFollower() {
  {
    absl::MutexLock lock(&mutex_);
    StopLocked(absl::CancelledError("left"));
  }
  (void)Wait();
}

std::unique_ptr<LinePrinter> MultiFollower::MakePrinter(const v1::Run& run) {
  if (common_.output == OutputFormat::kJson) {
    return std::make_unique<JsonPrinter>(&output_, run.id());
  }
  const std::string name = absl::StrCat(Printable(run.job()), " ", Printable(ShortId(run.id())));
  const Paint paint = color_ ? PaintInTurn(count_) : Paint::kPlain;
  if (options_.rendered) {
    return std::make_unique<ScreenPrinter>(
        &output_, ScreenPrinterOptions{.run = run.id(),
                                       .prefix = Painted(name + " |", paint) + " ",
                                       .timestamps = options_.timestamps,
                                       .out_is_styled = color_,
                                       .err_is_styled = UsesColor(common_.color, STDERR_FILENO)});
  }
  return std::make_unique<PrefixPrinter>(
      &output_, PrefixPrinterOptions{.run = run.id(),
                                     .prefix = Painted(name + " |", paint) + " ",
                                     .timestamps = options_.timestamps,
                                     .raw = options_.raw});
}

void MultiFollower::Add(const v1::Run& run, v1::TailLogRequest request) {
  request.set_run(run.id());
  absl::MutexLock lock(&mutex_);
  if (!error_.ok() || runs_.contains(run.id())) return;
  auto followed = std::make_unique<Followed>();
  followed->id = run.id();
  followed->reader = client_->Tail(std::move(request), ResumeOptionsFor(run.id()));
  followed->printer = MakePrinter(run);
  followed->thread = std::thread([this, f = followed.get()] { Read(f); });
  runs_[run.id()] = std::move(followed);
  reading_.insert(run.id());
  ++count_;
}

// In a thread of its own.
void MultiFollower::Read(Followed* followed) {
  while (true) {
    const absl::StatusOr<const v1::LogBatch*> batch = followed->reader->Next();
    absl::MutexLock lock(&mutex_);
    if (!error_.ok() || !batch.ok() || *batch == nullptr) {
      PrintEndLocked(*followed, batch.ok() ? absl::OkStatus() : batch.status());
      NoteEndedLocked(followed->id);
      followed->done = true;
      return;
    }
    const absl::Status printed = followed->printer->Print(**batch);
    if (!printed.ok()) StopLocked(printed);
  }
}

void MultiFollower::Tick() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, followed] : runs_) {
    if (!error_.ok()) return;
    if (followed == nullptr || followed->done) continue;
    if (const absl::Status printed = followed->printer->Tick(); !printed.ok()) StopLocked(printed);
  }
}

void MultiFollower::PrintEndLocked(const Followed& followed, const absl::Status& status) {
  if (!error_.ok()) return;
  const absl::Status finished = followed.printer->Finish();
  if (!finished.ok()) return StopLocked(finished);
  if (!status.ok()) {
    code_ = std::max(code_, kExitOwnFailure);
    const int64_t next = followed.reader->next_sequence();
    const std::string id = Printable(followed.id);
    output_.Notice(absl::StrCat("stopped following run ", id, ": ", Printable(StatusText(status)),
                                "; go on with: ", common_.program, " tail ", ShellQuoted(id),
                                next > 0 ? absl::StrCat(" --from=", next) : ""));
  } else if (followed.printer->result().has_value()) {
    code_ = std::max(code_, ExitCode(*followed.printer->result()));
  }
}

void MultiFollower::StopLocked(const absl::Status& error) {
  if (!error_.ok()) return;
  error_ = error;
  for (const auto& [id, followed] : runs_) {
    if (followed != nullptr) followed->reader->Cancel();
  }
  if (watcher_ != nullptr) watcher_->Cancel();
}

ResumeOptions MultiFollower::ResumeOptionsFor(const std::string& reader) {
  ResumeOptions options = MakeResumeOptions(common_);
  options.retry_for = options_.retry_for;
  options.on_connection_lost = [this, reader](const absl::Status& reason) {
    NoteLost(reader, reason);
  };
  options.on_connected_again = [this, reader] { NoteFound(reader); };
  return options;
}

// One outage is told once, however many readers it has struck.
void MultiFollower::NoteLost(const std::string& reader, const absl::Status& reason) {
  absl::MutexLock lock(&mutex_);
  const bool is_first = disconnected_.empty();
  disconnected_.insert(reader);
  if (!is_first) return;
  output_.Notice(absl::StrCat("connection to ", Printable(common_.server), " lost (",
                              Printable(StatusText(reason)), "); trying again for ",
                              absl::FormatDuration(options_.retry_for)));
}

void MultiFollower::NoteFound(const std::string& reader) {
  absl::MutexLock lock(&mutex_);
  if (disconnected_.erase(reader) > 0 && disconnected_.empty()) output_.Notice("connected again");
}

// A reader that ends without a connection is told of by its error. The outage is over where others
// have been connected meanwhile.
void MultiFollower::NoteEndedLocked(const std::string& reader) {
  reading_.erase(reader);
  const bool was_last = disconnected_.erase(reader) > 0 && disconnected_.empty();
  if (was_last && !reading_.empty() && error_.ok()) output_.Notice("connected again");
}

// Forgets what it needed for runs that have ended.
void MultiFollower::Reap() {
  std::vector<std::unique_ptr<Followed>> done;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [id, followed] : runs_) {
      if (followed != nullptr && followed->done) done.push_back(std::move(followed));
    }
  }
  for (const auto& followed : done) followed->thread.join();
}

absl::StatusOr<int> MultiFollower::Wait() {
  std::vector<Followed*> all;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, followed] : runs_) {
      if (followed != nullptr) all.push_back(followed.get());
    }
  }
  for (Followed* followed : all) {
    if (followed->thread.joinable()) followed->thread.join();
  }
  return ExitCodeOrError();
}

absl::StatusOr<int> MultiFollower::ExitCodeOrError() {
  absl::MutexLock lock(&mutex_);
  if (absl::IsAborted(error_)) return 128 + SIGPIPE;
  if (!error_.ok()) return error_;
  return code_;
}

absl::StatusOr<int> MultiFollower::FollowJob(const std::string& job, const std::string& after,
                                             v1::TailLogRequest tail) {
  v1::WatchRunsRequest request;
  request.set_job(job);
  RunWatcherOptions options = {.after = after, .resume = ResumeOptionsFor("")};
  RunWatcher* watcher;
  {
    absl::MutexLock lock(&mutex_);
    watcher_ = client_->Watch(std::move(request), std::move(options));
    watcher = watcher_.get();
    reading_.insert("");
    if (!error_.ok()) watcher->Cancel();
  }
  tail.clear_start();
  while (true) {
    const absl::StatusOr<v1::Run> run = watcher->Next();
    Reap();
    if (!run.ok()) {
      const absl::StatusOr<int> code = ExitCodeOrError();
      if (!code.ok() || absl::IsCancelled(run.status())) return code;
      return ExplainError(common_, run.status());
    }
    if (!run->has_delete_time()) Add(*run, tail);
  }
}

}  // namespace jobtail::client::cli
