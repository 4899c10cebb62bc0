// Lines of several runs in one place, each with its run before it.

#include "client/cli/prefix_printer.h"

#include <string_view>
#include <utility>

#include "base/quoting.h"
#include "client/cli/drawn_line.h"
#include "client/cli/text_printer.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMaxPending = 1 << 20;

Output::Target TargetOf(v1::Stream stream) {
  return stream == v1::STREAM_STDERR ? Output::kErr : Output::kOut;
}

// Whether text that is written over a line would leave less of it to be seen. Not before "\r\n",
// nor the zeros of "\r\n" in UTF-16.
bool CoversAnything(std::string_view bytes) {
  return bytes.find_first_not_of(std::string_view("\r\0", 2)) != std::string_view::npos;
}

// Whether the text, which a filter has let through, draws over itself.
bool DrawsOver(std::string_view shown) {
  if (shown.find('\b') != std::string_view::npos) return true;
  for (size_t at = shown.find('\x1b'); at != std::string_view::npos;
       at = shown.find('\x1b', at + 1)) {
    const size_t end = shown.find_first_of("mK", at);
    if (end != std::string_view::npos && shown[end] == 'K') return true;
  }
  return false;
}

}  // namespace

PrefixPrinter::PrefixPrinter(Output* output, PrefixPrinterOptions options)
    : LinePrinter(output), options_(std::move(options)) {}

absl::Status PrefixPrinter::PrintLine(const v1::LogLine& line) {
  switch (line.content_case()) {
    case v1::LogLine::kText:
      return PrintBytes(line, line.text());
    case v1::LogLine::kRaw:
      return PrintBytes(line, line.raw());
    case v1::LogLine::kGap:
      return PrintNotice(line, "run " + Printable(options_.run) + ": " + DescribeGap(line.gap()));
    case v1::LogLine::kCut:
      return PrintNotice(line, "run " + Printable(options_.run) + ": " + DescribeCut(line.cut()));
    case v1::LogLine::kResult:
      return PrintNotice(line, DescribeFailure(options_.run, line.result()));
    default:
      return absl::OkStatus();
  }
}

absl::Status PrefixPrinter::PrintBytes(const v1::LogLine& line, const std::string& bytes) {
  const Output::Target target = TargetOf(line.stream());
  Pending& pending = pending_[target];
  if (pending.is_overwritten && CoversAnything(bytes)) {
    std::string unseen;  // its colours go on
    filters_[target].Append(pending.bytes, &unseen);
    pending.bytes.clear();
  }
  pending.bytes += bytes;
  pending.is_overwritten = line.ending() == v1::ENDING_CR;
  pending.is_open = pending.is_overwritten || !EndsLine(line.ending());
  pending.time = line.time();
  if (pending.is_open && pending.bytes.size() < kMaxPending) return absl::OkStatus();
  return PrintPending(target);
}

absl::Status PrefixPrinter::PrintPending(Output::Target target) {
  Pending& pending = pending_[target];
  std::string* buffer;
  if (absl::Status status = output()->Begin(target, &buffer); !status.ok()) return status;
  buffer->append(options_.prefix);
  if (options_.timestamps) {
    time_.Append(pending.time, 3, buffer);
    buffer->push_back(' ');
  }
  if (!output()->is_terminal(target)) {
    buffer->append(pending.bytes);
  } else if (options_.raw) {
    modes_.Note(pending.bytes);
    buffer->append(pending.bytes).append(modes_.Undo());
  } else {
    AppendForTerminal(target, pending.bytes, buffer);
  }
  buffer->push_back('\n');
  pending = Pending();
  return absl::OkStatus();
}

void PrefixPrinter::AppendForTerminal(Output::Target target, const std::string& bytes,
                                      std::string* buffer) {
  TerminalFilter& filter = filters_[target];
  const std::string style = filter.style();
  std::string shown;
  filter.Append(bytes, &shown);
  filter.Append("\n", &shown);  // which ends what is not complete
  shown.pop_back();
  if (DrawsOver(shown)) {
    buffer->append(DrawnLine(shown, style));
    return;
  }
  buffer->append(style).append(shown);
  if (!style.empty() || filter.is_styled()) buffer->append("\x1b[m");
}

absl::Status PrefixPrinter::Finish() {
  for (const Output::Target target : {Output::kOut, Output::kErr}) {
    if (absl::Status status = EndLine(target); !status.ok()) return status;
  }
  return output()->Flush();
}

absl::Status PrefixPrinter::EndLine(Output::Target target) {
  return pending_[target].bytes.empty() ? absl::OkStatus() : PrintPending(target);
}

absl::Status PrefixPrinter::PrintNotice(const v1::LogLine& line, const std::string& text) {
  for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
    if (!EndsLineOf(stream, line)) continue;
    if (absl::Status status = EndLine(TargetOf(stream)); !status.ok()) return status;
  }
  if (text.empty()) return output()->Flush();
  output()->Notice(text);
  return absl::OkStatus();
}

}  // namespace jobtail::client::cli
