// The printer of --output=text and raw: what the job printed, byte for byte.
#ifndef JOBTAIL_CLIENT_CLI_TEXT_PRINTER_H_
#define JOBTAIL_CLIENT_CLI_TEXT_PRINTER_H_

#include <functional>
#include <optional>
#include <string>

#include "base/codec/proto_time.h"
#include "client/cli/line_printer.h"
#include "client/cli/terminal_filter.h"
#include "client/cli/terminal_modes.h"

namespace jobtail::client::cli {

// What of a log is to be printed, and where to.
struct TextPrinterOptions {
  // The run's id, for notices.
  std::string run = {};
  // Whether each line begins with the time when it was completed.
  bool timestamps = false;
  // Whether to tell on stderr of missing lines, of a run that did not succeed and, who looks at a
  // terminal there, that rows are drawn over which go elsewhere.
  bool notices = true;
  // Whether a run that did not succeed is one of these.
  bool outcome = true;
  // Whether all goes to stdout, what the job printed to stderr as well.
  bool merged = false;
  // Whether a terminal gets all that the job printed, and not only what is harmless to it.
  bool raw = false;
  // Draws the run's progress as one line for the terminal; none: it is not shown.
  std::function<std::string(const v1::RunProgress&)> draw_progress = {};
};

// --output=text and raw: the bytes that the job printed, each on the stream it came from.
class TextPrinter : public LinePrinter {
 public:
  TextPrinter(Output* output, TextPrinterOptions options);

  bool takes_views() const override { return true; }
  absl::Status Finish() override { return Leave(); }
  absl::Status Leave() override;

 private:
  struct Terminal {
    OwnRows rows;
    TerminalModes modes;  // if it gets all
  };

  absl::Status PrintLine(const v1::LogLine& line) override;
  absl::Status PrintViews(absl::Span<const LineView> lines) override;
  absl::Status PrintView(const LineView& line);
  absl::Status PrintText(const v1::LogLine& line);
  absl::Status EndLines(const v1::LogLine& gap);
  Output::Target TargetOf(v1::Stream stream) const;
  Terminal& TerminalOf(Output::Target target);
  void NoteProgress(const v1::RunProgress& progress);
  absl::Status PrintNotice(const v1::LogLine& line, const std::string& text);
  absl::Status HintAtRendered(std::string_view text);
  void AppendForTerminal(const LineView& line, Output::Target target, std::string* buffer);

  const TextPrinterOptions options_;
  TimeFormatter time_;
  Terminal terminals_[2];                     // of both streams; if it is one, the first
  std::optional<TerminalFilter> filters_[2];  // of terminals
  bool gets_all_[2] = {false, false};         // a terminal
  bool may_hint_ = false;                     // at --rendered
  bool has_left_[2] = {false, false};         // a style is to be taken up again
  bool continues_[2] = {false, false};  // whether the next line of the stream continues the last
};

// "lines 5-9 are missing (dropped: ...)".
std::string DescribeGap(const v1::Gap& gap);

// "the beginning of a line that matches, in lines 5-9, is left out (...)".
std::string DescribeCut(const v1::LineCut& cut);

// "run ID FAILED with exit code 3: TEXT"; empty for a run that succeeded.
std::string DescribeFailure(const std::string& run, const v1::RunResult& result);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TEXT_PRINTER_H_
