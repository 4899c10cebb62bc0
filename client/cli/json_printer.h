#ifndef JOBTAIL_CLIENT_CLI_JSON_PRINTER_H_
#define JOBTAIL_CLIENT_CLI_JSON_PRINTER_H_

#include "client/cli/json.h"
#include "client/cli/line_printer.h"

namespace jobtail::client::cli {

// --output=json: one LogLine a line on stdout, whichever stream it came from, with everything else
// that the server tells but its heartbeats.
class JsonPrinter : public LinePrinter {
 public:
  explicit JsonPrinter(Output* output) : LinePrinter(output) {}

 private:
  absl::Status PrintLine(const v1::LogLine& line) override;

  JsonLineWriter writer_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_JSON_PRINTER_H_
