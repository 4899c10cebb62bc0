// What all output formats have in common: batches taken apart, the result kept.

#include "client/cli/line_printer.h"

namespace jobtail::client::cli {

absl::Status LinePrinter::Print(const v1::LogBatch& batch) {
  for (const v1::LogLine& line : batch.lines()) {
    if (absl::Status status = PrintLine(line); !status.ok()) return status;
    if (line.has_result()) result_ = line.result();
    if (line.run().has_result()) result_ = line.run().result();
  }
  return Show();
}

absl::Status LinePrinter::Print(absl::Span<const LineView> lines) {
  if (absl::Status status = PrintViews(lines); !status.ok()) return status;
  return Show();
}

absl::Status LinePrinter::Show() {
  absl::Status status = output_->Flush();
  if (status.ok()) output_->ShowFooter();
  return status;
}

absl::Status LinePrinter::PrintViews(absl::Span<const LineView>) {
  return absl::InternalError("this printer takes no views");
}

}  // namespace jobtail::client::cli
