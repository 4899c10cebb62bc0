// The printer of --output=json: an object a line.
#ifndef JOBTAIL_CLIENT_CLI_JSON_PRINTER_H_
#define JOBTAIL_CLIENT_CLI_JSON_PRINTER_H_

#include <string>
#include <utility>

#include "base/codec/line_json.h"
#include "client/cli/line_printer.h"

namespace jobtail::client::cli {

// --output=json: one LogLine a line on stdout, whichever stream it came from, with everything else
// that the server tells but its heartbeats. Where several runs are followed at once, each object is
// {"runId": the run's id, "line": the LogLine}.
class JsonPrinter : public LinePrinter {
 public:
  // `run` is the id of one of several runs, or empty.
  explicit JsonPrinter(Output* output, std::string run = "")
      : LinePrinter(output), run_(std::move(run)) {}

 private:
  absl::Status PrintLine(const v1::LogLine& line) override;

  const std::string run_;
  LineJsonWriter writer_{JsonFields::kAll};
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_JSON_PRINTER_H_
