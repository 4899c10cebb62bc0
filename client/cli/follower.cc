// One run followed: its lines printed, its progress drawn, signals heeded.

#include "client/cli/follower.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "client/cli/commands.h"
#include "client/cli/error_text.h"
#include "client/cli/json_printer.h"
#include "client/cli/progress_bar.h"
#include "client/cli/screen_printer.h"
#include "client/cli/style.h"
#include "client/cli/text_printer.h"
#include "client/cli/ticker.h"
#include "client/run_state.h"
#include "client/status_text.h"

namespace jobtail::client::cli {
namespace {

// Where a bar below the output does not get in anybody's way: what is piped on often ends up on the
// same terminal.
bool IsTerminalOrFile(int fd) {
  struct stat what;
  return isatty(fd) == 1 || (fstat(fd, &what) == 0 && S_ISREG(what.st_mode));
}

// A notice from a thread that is not the printing one.
void Shout(const std::string& text) {
  FdWriter err(STDERR_FILENO, "stderr");
  size_t written;
  (void)err.Write(absl::StrCat(err.is_terminal() ? "\n" : "", "jobtail: ", text, "\n"), &written);
}

// Asks the server to cancel the run, for as long as a follower would wait for the server.
void AskToCancel(const CommonOptions& common, const std::string& run, absl::Duration retry_for) {
  ClientOptions options;
  options.call_timeout = absl::InfiniteDuration();
  options.retry_for = retry_for;
  const Client client =
      common.channel ? Client(common.channel, options) : Client(common.server, options);
  const absl::StatusOr<v1::Run> answer = client.CancelRun(run);
  if (answer.ok()) return;
  const absl::Status status = ExplainRunError(common, run, answer.status());
  Shout(absl::StrCat("could not cancel run ", run, ": ", status.message()));
}

}  // namespace

Follower::Follower(CommonOptions common, const FollowOptions& options, OnInterrupt on_interrupt,
                   Interrupts* interrupts)
    : common_(std::move(common)),
      options_(options),
      on_interrupt_(on_interrupt),
      interrupts_(interrupts),
      out_(STDOUT_FILENO, "stdout", &interrupts->stop()),
      err_(STDERR_FILENO, "stderr", &interrupts->stop()),
      output_(&out_, &err_) {}

void Follower::Notice(const std::string& text) {
  if (common_.output == OutputFormat::kRaw) return;
  const absl::MutexLock lock(&mutex_);
  if (printer_ != nullptr) (void)printer_->Leave();
  output_.Notice(text);
}

std::unique_ptr<LinePrinter> Follower::MakePrinter() {
  if (common_.output == OutputFormat::kJson) return std::make_unique<JsonPrinter>(&output_);
  if (options_.rendered) return MakeScreenPrinter();
  return std::make_unique<TextPrinter>(
      &output_, TextPrinterOptions{.run = run_,
                                   .timestamps = options_.timestamps,
                                   .notices = common_.output == OutputFormat::kText,
                                   .outcome = !exports_,
                                   .merged = exports_,
                                   .raw = options_.raw,
                                   .draw_progress = DrawProgress()});
}

std::unique_ptr<LinePrinter> Follower::MakeScreenPrinter() {
  return std::make_unique<ScreenPrinter>(
      &output_, ScreenPrinterOptions{.run = run_,
                                     .timestamps = options_.timestamps,
                                     .outcome = !exports_,
                                     .merged = exports_,
                                     .out_is_styled = UsesColor(common_.color, STDOUT_FILENO),
                                     .err_is_styled = UsesColor(common_.color, STDERR_FILENO),
                                     .draw_progress = DrawProgress()});
}

// None where it is not shown.
std::function<std::string(const v1::RunProgress&)> Follower::DrawProgress() const {
  if (!ShowsProgress()) return nullptr;
  const bool color = UsesColor(common_.color, STDERR_FILENO);
  return [color](const v1::RunProgress& progress) {
    return ProgressBar(progress, SizeOf(STDERR_FILENO).columns, color);
  };
}

bool Follower::ShowsProgress() const {
  return options_.progress && common_.output == OutputFormat::kText && err_.is_terminal() &&
         IsTerminalOrFile(STDOUT_FILENO);
}

std::optional<v1::RunResult> Follower::result() const {
  return printer_ != nullptr ? printer_->result() : std::nullopt;
}

absl::StatusOr<int> Follower::Follow(const Client& client, const v1::TailLogRequest& request) {
  run_ = request.run();
  printer_ = MakePrinter();
  reader_ = client.Tail(request, ReaderOptions());
  interrupts_->SetHandler([this](int signal) { OnSignal(signal); });
  std::optional<Ticker> ticker;
  if (options_.rendered) ticker.emplace(kTick, [this] { Tick(); });
  absl::StatusOr<int> code = PrintAll();
  ticker.reset();
  LeaveTerminal();
  output_.EndFooter();
  interrupts_->SetHandler(nullptr);
  return code;
}

absl::StatusOr<int> Follower::Export(const Client& client, const v1::TailLogRequest& request) {
  exports_ = true;
  absl::StatusOr<int> code = Follow(client, request);
  const bool is_complete = code.ok() && !interrupts_->stop() && !nobody_reads_;
  return is_complete ? absl::StatusOr<int>(0) : code;
}

ResumeOptions Follower::ReaderOptions() {
  ResumeOptions options = MakeResumeOptions(common_);
  options.retry_for = options_.retry_for;
  options.on_connection_lost = [this](const absl::Status& reason) {
    Notice(absl::StrCat("connection to ", Printable(common_.server), " lost (",
                        Printable(StatusText(reason)), "); trying again for ",
                        absl::FormatDuration(options_.retry_for)));
  };
  options.on_connected_again = [this] { Notice("connected again"); };
  return options;
}

// In the thread that takes the signals.
void Follower::OnSignal(int signal) {
  if (on_interrupt_ == OnInterrupt::kCancelRun) {
    return CancelRun(absl::StrCat("cancelling run ", run_, "; interrupt again to leave at once"));
  }
  interrupts_->Stop(signal);
  reader_->Cancel();
}

void Follower::CancelRun(const std::string& why) {
  const bool quiet = common_.output == OutputFormat::kRaw && !err_.is_terminal();
  std::thread([common = common_, run = run_, retry_for = options_.retry_for, quiet, why] {
    if (!quiet) Shout(why);
    AskToCancel(common, run, retry_for);
  }).detach();
}

absl::StatusOr<int> Follower::PrintAll() {
  while (true) {
    const absl::StatusOr<LogLines> lines = Next();
    if (interrupts_->stop()) return Interrupted();
    const absl::Status ticked = Ticked();
    if (!ticked.ok()) return PrintFailed(ticked);
    if (!lines.ok()) return ReadFailed(lines.status());
    if (lines->is_end()) break;
    const absl::Status printed = Print(*lines);
    if (interrupts_->stop()) return Interrupted();
    if (!printed.ok()) return PrintFailed(printed);
  }
  if (const absl::Status finished = Finish(); !finished.ok()) return PrintFailed(finished);
  return printer_->result().has_value() ? ExitCode(*printer_->result()) : 0;
}

absl::StatusOr<LogLines> Follower::Next() {
  if (printer_->takes_views()) return reader_->NextLines();
  const absl::StatusOr<const v1::LogBatch*> batch = reader_->Next();
  if (!batch.ok()) return batch.status();
  return LogLines{{}, *batch};
}

absl::Status Follower::Print(const LogLines& lines) {
  const absl::MutexLock lock(&mutex_);
  absl::Status status = lines.batch ? printer_->Print(*lines.batch) : printer_->Print(lines.text);
  is_finished_ = !status.ok();
  return status;
}

absl::Status Follower::Finish() {
  const absl::MutexLock lock(&mutex_);
  is_finished_ = true;
  return printer_->Finish();
}

// In the ticker's thread. An error ends the reading.
void Follower::Tick() {
  const absl::MutexLock lock(&mutex_);
  if (is_finished_ || !tick_.ok()) return;
  tick_ = printer_->Tick();
  if (!tick_.ok()) reader_->Cancel();
}

absl::Status Follower::Ticked() {
  const absl::MutexLock lock(&mutex_);
  return tick_;
}

// Of a run that is left. Not where that would have to wait for whoever reads it.
void Follower::PrintWhatIsHeld() {
  if (!options_.rendered) return;
  const absl::MutexLock lock(&mutex_);
  is_finished_ = true;
  if (!out_.IsReady() || !err_.IsReady()) return;
  out_.IgnoreStop();
  err_.IgnoreStop();
  (void)printer_->Finish();
}

// However the following ends.
void Follower::LeaveTerminal() {
  if (!out_.is_terminal() && !err_.is_terminal()) return;
  if (out_.is_terminal()) out_.IgnoreStop();
  if (err_.is_terminal()) err_.IgnoreStop();
  (void)printer_->Leave();
}

int Follower::Interrupted() {
  PrintWhatIsHeld();
  LeaveTerminal();
  const int code = 128 + interrupts_->signal();
  const bool quiet = common_.output == OutputFormat::kRaw && !err_.is_terminal();
  if (on_interrupt_ != OnInterrupt::kTellAndLeave || quiet) return code;
  err_.IgnoreStop();
  if (interrupts_->signal() == SIGINT) output_.NoteEcho();
  output_.Notice(absl::StrCat("interrupted; run ", run_, " goes on\n",                          //
                              "  follow it:  ", TailCommand(output_.last_written() + 1), "\n",  //
                              "  cancel it:  ", common_.program, " cancel ", run_));
  return code;
}

absl::Status Follower::ReadFailed(const absl::Status& status) {
  (void)Finish();
  if (IsRefusal(status)) return ExplainRunError(common_, run_, status);
  return {status.code(),
          absl::StrCat("stopped following run ", run_, ": ", Printable(StatusText(status)),
                       "; go on with: ", TailCommand(reader_->next_sequence()))};
}

absl::StatusOr<int> Follower::PrintFailed(const absl::Status& status) {
  nobody_reads_ = absl::IsAborted(status);
  if (nobody_reads_) return 128 + SIGPIPE;
  return status;
}

std::string Follower::TailCommand(int64_t from) const {
  return absl::StrCat(common_.program, " tail ", run_,
                      from > 0 ? absl::StrCat(" --from=", from) : "");
}

}  // namespace jobtail::client::cli
