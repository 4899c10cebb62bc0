#include "client/cli/follower.h"

#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/error_text.h"
#include "client/cli/json_printer.h"
#include "client/cli/text.h"
#include "client/cli/text_printer.h"
#include "client/outcome.h"
#include "client/reason.h"

namespace jobtail::client::cli {
namespace {

std::unique_ptr<LinePrinter> MakePrinter(const CommonOptions& common, const FollowOptions& options,
                                         const std::string& run, Output* output) {
  if (common.output == OutputFormat::kJson) return std::make_unique<JsonPrinter>(output);
  TextPrinterOptions text = {.run = run,
                             .timestamps = options.timestamps,
                             .notices = common.output == OutputFormat::kText};
  return std::make_unique<TextPrinter>(output, std::move(text));
}

// Whether the server has understood the request and will not serve it, now or later.
bool IsRefusal(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status) ||
         absl::IsOutOfRange(status) || absl::IsFailedPrecondition(status) ||
         absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ||
         absl::IsUnimplemented(status) || absl::IsResourceExhausted(status);
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
  const Client client(common.server, options);
  const absl::StatusOr<v1::Run> answer = client.CancelRun(run);
  if (answer.ok()) return;
  const absl::Status status = ExplainedForRun(common, run, answer.status());
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
  if (common_.output != OutputFormat::kRaw) output_.Notice(text);
}

absl::StatusOr<int> Follower::Follow(const Client& client, const v1::TailLogRequest& request) {
  run_ = request.run();
  printer_ = MakePrinter(common_, options_, run_, &output_);
  reader_ = client.Tail(request, ReaderOptions());
  interrupts_->SetHandler([this](int signal) { OnSignal(signal); });
  absl::StatusOr<int> code = PrintAll();
  interrupts_->SetHandler(nullptr);
  return code;
}

LogReaderOptions Follower::ReaderOptions() {
  LogReaderOptions options;
  options.retry_for = options_.retry_for;
  options.on_connection_lost = [this](const absl::Status& reason) {
    Notice(absl::StrCat("connection to ", Printable(common_.server), " lost (",
                        Printable(Reason(reason)), "); trying again for ",
                        absl::FormatDuration(options_.retry_for)));
  };
  options.on_connected_again = [this] { Notice("connected again"); };
  return options;
}

// In the thread that takes the signals.
void Follower::OnSignal(int signal) {
  if (on_interrupt_ == OnInterrupt::kCancelRun) return CancelRun();
  interrupts_->Stop(signal);
  reader_->Cancel();
}

void Follower::CancelRun() {
  const bool quiet = common_.output == OutputFormat::kRaw && !err_.is_terminal();
  std::thread([common = common_, run = run_, retry_for = options_.retry_for, quiet] {
    if (!quiet) Shout(absl::StrCat("cancelling run ", run, "; interrupt again to leave at once"));
    AskToCancel(common, run, retry_for);
  }).detach();
}

absl::StatusOr<int> Follower::PrintAll() {
  while (true) {
    const absl::StatusOr<LogLines> lines = Next();
    if (interrupts_->stop()) return Interrupted();
    if (!lines.ok()) return ReadFailed(lines.status());
    if (lines->is_end()) break;
    const absl::Status printed =
        lines->batch ? printer_->Print(*lines->batch) : printer_->Print(lines->text);
    if (interrupts_->stop()) return Interrupted();
    if (!printed.ok()) return PrintFailed(printed);
  }
  return printer_->result().has_value() ? ExitCode(*printer_->result()) : 0;
}

absl::StatusOr<LogLines> Follower::Next() {
  if (printer_->takes_views()) return reader_->NextLines();
  const absl::StatusOr<const v1::LogBatch*> batch = reader_->Next();
  if (!batch.ok()) return batch.status();
  return LogLines{{}, *batch};
}

int Follower::Interrupted() {
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

absl::Status Follower::ReadFailed(const absl::Status& status) const {
  if (IsRefusal(status)) return ExplainedForRun(common_, run_, status);
  const int64_t next = reader_->next_sequence();
  return {status.code(),
          absl::StrCat("stopped following run ", run_, ": ", Printable(Reason(status)),
                       next > 0 ? absl::StrCat(" (", TailCommand(next), ")") : "")};
}

absl::StatusOr<int> Follower::PrintFailed(const absl::Status& status) {
  if (absl::IsAborted(status)) return 128 + SIGPIPE;
  return status;
}

std::string Follower::TailCommand(int64_t from) const {
  return absl::StrCat(common_.program, " tail --from=", from, " ", run_);
}

}  // namespace jobtail::client::cli
