// The interface of all printers of log lines.
#ifndef JOBTAIL_CLIENT_CLI_LINE_PRINTER_H_
#define JOBTAIL_CLIENT_CLI_LINE_PRINTER_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/cli/output.h"
#include "client/line_view.h"
#include "jobtail/v1/log.pb.h"

namespace jobtail::client::cli {

// How often printers are told that time passes: see LinePrinter::Tick().
inline constexpr absl::Duration kTick = absl::Milliseconds(500);

// Prints a log's batches, each as it comes, in one of the command's output formats. For one thread.
class LinePrinter {
 public:
  virtual ~LinePrinter() = default;

  // Whether lines of text may come as views, which cost less.
  virtual bool takes_views() const { return false; }

  // Print the lines and return when they have been written. Errors are FdWriter's.
  absl::Status Print(const v1::LogBatch& batch);
  absl::Status Print(absl::Span<const LineView> lines);

  // Prints what it may have kept back of a line that is not complete: nothing more will come.
  virtual absl::Status Finish() { return absl::OkStatus(); }

  // Prints what it may have kept back and has no reason to any more: for a printer that waits for
  // what may come next. To be called every kTick.
  virtual absl::Status Tick() { return absl::OkStatus(); }

  // Leaves a terminal as it was before the job's text: what is printed next is not the job's.
  virtual absl::Status Leave() { return absl::OkStatus(); }

  // The run's result, once it has come: as a record or, if that was not asked for, with the Run.
  const std::optional<v1::RunResult>& result() const { return result_; }

 protected:
  // The output must outlive the printer.
  explicit LinePrinter(Output* output) : output_(output) {}

  virtual absl::Status PrintLine(const v1::LogLine& line) = 0;
  virtual absl::Status PrintViews(absl::Span<const LineView> lines);

  Output* output() { return output_; }

 private:
  absl::Status Show();

  Output* const output_;
  std::optional<v1::RunResult> result_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_LINE_PRINTER_H_
