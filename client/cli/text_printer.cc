// --output=text and raw: a job's bytes as it printed them.

#include "client/cli/text_printer.h"

#include <string.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/cursor_moves.h"
#include "base/quoting.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

absl::string_view WhyMissing(v1::GapReason reason) {
  switch (reason) {
    case v1::GAP_REASON_DROPPED:
      return "dropped: the job printed faster than they could be kept";
    case v1::GAP_REASON_RETENTION:
      return "deleted to keep within the server's retention limits";
    case v1::GAP_REASON_DAMAGED:
      return "damaged: they can no longer be read";
    case v1::GAP_REASON_STORE_FULL:
      return "lost: the server's disk was full";
    case v1::GAP_REASON_OVERWRITTEN:
      return "left out: a progress bar overwrote them at once";
    default:
      return "the server did not send them and gave no reason";
  }
}

std::string HowItEnded(const v1::RunResult& result) {
  if (result.signal() > 0) {
    const char* name = sigabbrev_np(result.signal());
    return absl::StrCat(" by signal ", result.signal(), name ? " (SIG" : "", name ? name : "",
                        name ? ")" : "");
  }
  return result.exit_code() != 0 ? absl::StrCat(" with exit code ", result.exit_code()) : "";
}

}  // namespace

TextPrinter::TextPrinter(Output* output, TextPrinterOptions options)
    : LinePrinter(output), options_(std::move(options)) {
  may_hint_ =
      options_.notices && !output->is_terminal(Output::kOut) && output->is_terminal(Output::kErr);
  for (const Output::Target target : {Output::kOut, Output::kErr}) {
    if (!output->is_terminal(target)) continue;
    gets_all_[target] = options_.raw;
    if (options_.raw) continue;
    filters_[target].emplace(options_.timestamps ? nullptr : &TerminalOf(target).rows);
  }
}

absl::Status TextPrinter::PrintLine(const v1::LogLine& line) {
  switch (line.content_case()) {
    case v1::LogLine::kText:
    case v1::LogLine::kRaw:
      return PrintText(line);
    case v1::LogLine::kGap:
      if (absl::Status status = EndLines(line); !status.ok()) return status;
      return PrintNotice(line, DescribeGap(line.gap()));
    case v1::LogLine::kCut:
      return PrintNotice(line, DescribeCut(line.cut()));
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

absl::Status TextPrinter::PrintText(const v1::LogLine& line) {
  const std::string time = options_.timestamps ? line.time().SerializeAsString() : "";
  LineView view;
  view.sequence = line.sequence();
  view.stream = line.stream();
  view.ending = line.ending();
  view.bytes = line.has_text() ? line.text() : line.raw();
  view.encoded_time = time;
  return PrintView(view);
}

absl::Status TextPrinter::PrintViews(absl::Span<const LineView> lines) {
  for (const LineView& line : lines) {
    if (absl::Status status = PrintView(line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Once.
absl::Status TextPrinter::HintAtRendered(std::string_view text) {
  if (!MovesToOtherRows(text)) return absl::OkStatus();
  may_hint_ = false;
  if (absl::Status status = Leave(); !status.ok()) return status;
  output()->Notice(
      "the job draws over rows that it has printed; with --rendered they are printed as they are "
      "in the end");
  return absl::OkStatus();
}

absl::Status TextPrinter::PrintView(const LineView& line) {
  const Output::Target target = TargetOf(line.stream);
  if (may_hint_ && target == Output::kOut) {
    if (absl::Status status = HintAtRendered(line.bytes); !status.ok()) return status;
  }
  std::string* buffer;
  if (absl::Status status = output()->Begin(target, &buffer); !status.ok()) return status;
  if (options_.timestamps && !continues_[target]) {
    time_.Append(line.time(), 3, buffer);
    buffer->push_back(' ');
  }
  if (filters_[target]) {
    AppendForTerminal(line, target, buffer);
  } else {
    if (gets_all_[target]) TerminalOf(target).modes.Note(line.bytes);
    buffer->append(line.bytes).append(EndingBytes(line.ending));
  }
  continues_[target] = !EndsLine(line.ending);
  output()->End(line.sequence);
  return absl::OkStatus();
}

// A time stands where a line begins.
absl::Status TextPrinter::EndLines(const v1::LogLine& gap) {
  for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
    const Output::Target target = TargetOf(stream);
    if (!EndsLineOf(stream, gap) || !std::exchange(continues_[target], false)) continue;
    if (!options_.timestamps) continue;
    std::string* buffer;
    if (absl::Status status = output()->Begin(target, &buffer); !status.ok()) return status;
    buffer->push_back('\n');
  }
  return absl::OkStatus();
}

Output::Target TextPrinter::TargetOf(v1::Stream stream) const {
  return stream == v1::STREAM_STDERR && !options_.merged ? Output::kErr : Output::kOut;
}

TextPrinter::Terminal& TextPrinter::TerminalOf(Output::Target target) {
  return terminals_[output()->is_one_terminal() ? Output::kOut : target];
}

void TextPrinter::AppendForTerminal(const LineView& line, Output::Target target,
                                    std::string* buffer) {
  if (std::exchange(has_left_[target], false)) buffer->append(filters_[target]->style());
  filters_[target]->Append(line.bytes, buffer);
  filters_[target]->Append(EndingBytes(line.ending), buffer);
  output()->set_drawing(TerminalOf(Output::kErr).rows.is_up());
}

void TextPrinter::NoteProgress(const v1::RunProgress& progress) {
  if (options_.draw_progress) output()->SetFooter(options_.draw_progress(progress));
}

absl::Status TextPrinter::PrintNotice(const v1::LogLine& line, const std::string& text) {
  if (options_.notices && !text.empty()) {
    if (absl::Status status = Leave(); !status.ok()) return status;
    output()->Notice(text);
  }
  output()->End(line.sequence());
  return absl::OkStatus();
}

absl::Status TextPrinter::Leave() {
  for (const Output::Target target : {Output::kOut, Output::kErr}) {
    std::string bytes;
    if (gets_all_[target]) bytes = TerminalOf(target).modes.Undo();
    if (filters_[target]) {
      bytes = TerminalOf(target).rows.Leave();
      if (filters_[target]->is_styled() && !has_left_[target]) bytes += "\x1b[m";
      has_left_[target] = true;
    }
    if (bytes.empty()) continue;
    std::string* buffer;
    if (absl::Status status = output()->Begin(target, &buffer); !status.ok()) return status;
    buffer->append(bytes);
  }
  output()->set_drawing(false);
  return output()->Flush();
}

std::string DescribeGap(const v1::Gap& gap) {
  const absl::string_view why = WhyMissing(gap.reason());
  if (gap.first() == gap.last())
    return absl::StrCat("line ", gap.last(), " is missing (", why, ")");
  return absl::StrCat("lines ", gap.first(), "-", gap.last(), " are missing (", why, ")");
}

std::string DescribeCut(const v1::LineCut& cut) {
  const std::string place = cut.first() == cut.last()
                                ? absl::StrCat("line ", cut.first())
                                : absl::StrCat("lines ", cut.first(), "-", cut.last());
  return absl::StrCat("the beginning of a line that matches, in ", place,
                      ", is left out (it was not known in time that it would match)");
}

std::string DescribeFailure(const std::string& run, const v1::RunResult& result) {
  if (result.state() == v1::RUN_STATE_SUCCEEDED) return "";
  std::string text =
      absl::StrCat("run ", Printable(run), " ", StateName(result.state()), HowItEnded(result));
  if (!result.error().empty()) absl::StrAppend(&text, ": ", Printable(result.error()));
  return text;
}

}  // namespace jobtail::client::cli
