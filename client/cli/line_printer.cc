#include "client/cli/line_printer.h"

namespace jobtail::client::cli {

absl::Status LinePrinter::Print(const v1::LogBatch& batch) {
  for (const v1::LogLine& line : batch.lines()) {
    if (absl::Status status = PrintLine(line); !status.ok()) return status;
    if (line.has_result()) result_ = line.result();
    if (line.run().has_result()) result_ = line.run().result();
  }
  absl::Status status = output_->Flush();
  if (status.ok()) output_->ShowFooter();
  return status;
}

}  // namespace jobtail::client::cli
