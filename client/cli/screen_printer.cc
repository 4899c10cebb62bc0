// Records drawn on screens, and what leaves these printed.

#include "client/cli/screen_printer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "client/cli/text_printer.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kPiece = size_t{4} << 10;  // drawn at once: its rows are in memory
constexpr size_t kMaxLine = 1 << 20;        // kept back until it is whole

}  // namespace

ScreenPrinter::ScreenPrinter(Output* output, ScreenPrinterOptions options)
    : LinePrinter(output),
      options_(std::move(options)),
      merged_(options_.merged || output->is_one_place()),
      panes_{Pane(options_.out_is_styled), Pane(options_.err_is_styled)} {}

absl::Status ScreenPrinter::PrintLine(const v1::LogLine& line) {
  switch (line.content_case()) {
    case v1::LogLine::kText:
    case v1::LogLine::kRaw: {
      const std::string time = options_.timestamps ? line.time().SerializeAsString() : "";
      LineView view;
      view.sequence = line.sequence();
      view.stream = line.stream();
      view.ending = line.ending();
      view.bytes = line.has_text() ? line.text() : line.raw();
      view.encoded_time = time;
      return PrintView(view);
    }
    case v1::LogLine::kGap:
      return PrintNotice(line, Named(DescribeGap(line.gap())));
    case v1::LogLine::kProgress:
      NoteProgress(line.progress());
      return absl::OkStatus();
    case v1::LogLine::kRun:
      if (line.run().has_progress() && !IsFinal(line.run().state())) {
        NoteProgress(line.run().progress());
      }
      return absl::OkStatus();
    case v1::LogLine::kResult:
      output()->SetFooter("");
      return PrintNotice(line,
                         options_.outcome ? DescribeFailure(options_.run, line.result()) : "");
    default:
      return absl::OkStatus();
  }
}

absl::Status ScreenPrinter::PrintViews(absl::Span<const LineView> lines) {
  for (const LineView& line : lines) {
    if (absl::Status status = PrintView(line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ScreenPrinter::PrintView(const LineView& line) {
  const Output::Target target = TargetOf(line.stream);
  if (absl::Status status = Draw(line, target); !status.ok()) return status;
  Mark(line.sequence);
  return absl::OkStatus();
}

absl::Status ScreenPrinter::Draw(const LineView& line, Output::Target target) {
  Pane& pane = panes_[target];
  Screen::Record record = {.sequence = line.sequence, .time = {}};
  if (options_.timestamps) record.time = line.time();
  for (std::string_view rest = line.bytes; !rest.empty();
       rest.remove_prefix(std::min(kPiece, rest.size()))) {
    pane.screen.Write(record, rest.substr(0, kPiece), &pane.rows);
    if (absl::Status status = PrintRows(target); !status.ok()) return status;
  }
  pane.screen.Write(record, EndingBytes(line.ending), &pane.rows);
  return PrintRows(target);
}

absl::Status ScreenPrinter::PrintRows(Output::Target target) {
  Pane& pane = panes_[target];
  if (pane.rows.empty()) return absl::OkStatus();
  std::string* buffer;
  if (absl::Status status = output()->Begin(target, &buffer); !status.ok()) return status;
  for (const ScreenRow& row : pane.rows) {
    AppendRow(row, &pane);
    // The lines of several runs are printed whole, so that none is within another.
    const bool is_kept = pane.is_open && !options_.prefix.empty();
    if (is_kept && pane.line.size() < kMaxLine) continue;
    if (is_kept) pane.line.push_back('\n');
    pane.is_open = pane.is_open && !is_kept;
    buffer->append(pane.line);
    pane.line.clear();
  }
  pane.rows.clear();
  return absl::OkStatus();
}

void ScreenPrinter::AppendRow(const ScreenRow& row, Pane* pane) {
  if (!pane->is_open) {
    pane->line.append(options_.prefix);
    if (options_.timestamps) {
      time_.Append(row.time, 3, &pane->line);
      pane->line.push_back(' ');
    }
  }
  pane->line.append(row.text);
  if (!row.goes_on) pane->line.push_back('\n');
  pane->is_open = row.goes_on;
}

absl::Status ScreenPrinter::Finish() {
  for (const Output::Target target : {Output::kOut, Output::kErr}) {
    if (absl::Status status = FinishScreen(target); !status.ok()) return status;
  }
  Mark(last_);
  return output()->Flush();
}

absl::Status ScreenPrinter::FinishScreen(Output::Target target) {
  panes_[target].screen.Finish(&panes_[target].rows);
  return PrintRows(target);
}

absl::Status ScreenPrinter::Tick() {
  for (const Output::Target target : {Output::kOut, Output::kErr}) {
    panes_[target].screen.Tick(&panes_[target].rows);
    if (absl::Status status = PrintRows(target); !status.ok()) return status;
  }
  absl::Status status = output()->Flush();
  if (status.ok()) output()->ShowFooter();
  return status;
}

absl::Status ScreenPrinter::PrintNotice(const v1::LogLine& line, const std::string& text) {
  for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
    if (!EndsLineOf(stream, line)) continue;
    if (absl::Status status = FinishScreen(TargetOf(stream)); !status.ok()) return status;
  }
  if (!text.empty()) output()->Notice(text);
  Mark(line.sequence());
  return absl::OkStatus();
}

void ScreenPrinter::NoteProgress(const v1::RunProgress& progress) {
  if (options_.draw_progress) output()->SetFooter(options_.draw_progress(progress));
}

Output::Target ScreenPrinter::TargetOf(v1::Stream stream) const {
  return stream == v1::STREAM_STDERR && !merged_ ? Output::kErr : Output::kOut;
}

// Of several runs, a notice says which it is of; the outcome does anyway.
std::string ScreenPrinter::Named(const std::string& text) const {
  return options_.prefix.empty() ? text : absl::StrCat("run ", Printable(options_.run), ": ", text);
}

// Notes that all records up to this one have been drawn, and which of them are printed by that.
void ScreenPrinter::Mark(int64_t sequence) {
  last_ = std::max(last_, sequence);
  int64_t printed = last_;
  for (const Pane& pane : panes_) {
    const int64_t held = pane.screen.first_held();
    if (held > 0) printed = std::min(printed, held - 1);
  }
  if (printed <= printed_) return;
  printed_ = printed;
  output()->End(printed);
}

}  // namespace jobtail::client::cli
