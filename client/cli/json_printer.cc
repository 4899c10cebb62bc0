// --output=json: a line of JSON for each message of a log.

#include "client/cli/json_printer.h"

#include "base/json_text.h"

namespace jobtail::client::cli {

absl::Status JsonPrinter::PrintLine(const v1::LogLine& line) {
  if (line.has_heartbeat()) return absl::OkStatus();
  std::string* buffer;
  if (absl::Status status = output()->Begin(Output::kOut, &buffer); !status.ok()) return status;
  if (!run_.empty()) {
    buffer->append(R"({"runId":)");
    AppendJsonText(run_, buffer);
    buffer->append(R"(,"line":)");
  }
  writer_.Append(line, buffer);
  if (!run_.empty()) buffer->push_back('}');
  buffer->push_back('\n');
  output()->End(line.sequence());
  return absl::OkStatus();
}

}  // namespace jobtail::client::cli
