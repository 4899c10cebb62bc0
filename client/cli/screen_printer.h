// The printer of --rendered: the rows that a terminal would show in the end, as plain text.
#ifndef JOBTAIL_CLIENT_CLI_SCREEN_PRINTER_H_
#define JOBTAIL_CLIENT_CLI_SCREEN_PRINTER_H_

#include <functional>
#include <string>
#include <vector>

#include "base/codec/proto_time.h"
#include "client/cli/line_printer.h"
#include "client/cli/screen.h"

namespace jobtail::client::cli {

// What of a log is to be printed, and where to.
struct ScreenPrinterOptions {
  // The run's id, for notices.
  std::string run = {};
  // Where several runs are printed: what stands before each line, colours included.
  std::string prefix = {};
  // Whether each line begins with the time when its first row was drawn on last.
  bool timestamps = false;
  // Whether to tell on stderr of a run that did not succeed.
  bool outcome = true;
  // Whether all goes to stdout, what the job printed to stderr as well.
  bool merged = false;
  // Whether stdout and stderr get colours and styles.
  bool out_is_styled = false;
  bool err_is_styled = false;
  // Draws the run's progress as one line for the terminal; none: it is not shown.
  std::function<std::string(const v1::RunProgress&)> draw_progress = {};
};

// --rendered: what the job prints is drawn on a screen, and rows are printed once they can no
// longer change: see Screen. A line that goes over several rows is printed as one. There is nothing
// in it but text and, where wanted, colours and styles.
//
// Both streams share a screen where they go to the same place, as on a terminal; else each has its
// own. Lines that are missing end what was on the screens.
class ScreenPrinter : public LinePrinter {
 public:
  ScreenPrinter(Output* output, ScreenPrinterOptions options);

  bool takes_views() const override { return true; }
  absl::Status Finish() override;
  absl::Status Leave() override { return output()->Flush(); }
  absl::Status Tick() override;

 private:
  // What goes to one target.
  struct Pane {
    explicit Pane(bool styled) : screen(styled) {}

    Screen screen;
    std::vector<ScreenRow> rows;  // handed out, not printed
    std::string line;             // the beginning of one whose other rows are still to come
    bool is_open = false;         // whether the next row continues a line
  };

  absl::Status PrintLine(const v1::LogLine& line) override;
  absl::Status PrintViews(absl::Span<const LineView> lines) override;
  absl::Status PrintView(const LineView& line);
  absl::Status Draw(const LineView& line, Output::Target target);
  absl::Status PrintRows(Output::Target target);
  void AppendRow(const ScreenRow& row, Pane* pane);
  absl::Status FinishScreen(Output::Target target);
  absl::Status PrintNotice(const v1::LogLine& line, const std::string& text);
  void NoteProgress(const v1::RunProgress& progress);
  Output::Target TargetOf(v1::Stream stream) const;
  std::string Named(const std::string& text) const;
  void Mark(int64_t sequence);

  const ScreenPrinterOptions options_;
  const bool merged_;
  TimeFormatter time_;
  Pane panes_[2];
  int64_t last_ = 0;     // record that was drawn
  int64_t printed_ = 0;  // the last record up to which all are printed
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_SCREEN_PRINTER_H_
