// The printer of several runs' lines into one place, each line with its run's name.
#ifndef JOBTAIL_CLIENT_CLI_PREFIX_PRINTER_H_
#define JOBTAIL_CLIENT_CLI_PREFIX_PRINTER_H_

#include <string>

#include "base/codec/proto_time.h"
#include "client/cli/line_printer.h"
#include "client/cli/terminal_filter.h"
#include "client/cli/terminal_modes.h"

namespace jobtail::client::cli {

// How a run's lines are to be told from those of others.
struct PrefixPrinterOptions {
  // The run's id, for notices.
  std::string run = {};
  // What stands before each line, colours included.
  std::string prefix = {};
  bool timestamps = false;
  // Whether a terminal gets all that the job printed, and not only what is harmless to it.
  bool raw = false;
};

// One of several runs that are printed to the same place: whole lines, each with its run before it.
// A line that is not complete is kept back until it is, or grows beyond 1 MiB; of one that is
// overwritten ("\r") only the last state is printed. On a terminal, a run's colours go on in its
// own next line and nowhere else, and nothing it prints draws over what stands before its lines.
class PrefixPrinter : public LinePrinter {
 public:
  PrefixPrinter(Output* output, PrefixPrinterOptions options);

  absl::Status Finish() override;

 private:
  struct Pending {
    std::string bytes;
    bool is_open = false;         // more belongs to the line
    bool is_overwritten = false;  // by what comes next
    google::protobuf::Timestamp time;
  };

  absl::Status PrintLine(const v1::LogLine& line) override;
  absl::Status PrintBytes(const v1::LogLine& line, const std::string& bytes);
  absl::Status EndLine(Output::Target target);
  absl::Status PrintNotice(const v1::LogLine& line, const std::string& text);
  absl::Status PrintPending(Output::Target target);
  void AppendForTerminal(Output::Target target, const std::string& bytes, std::string* buffer);

  const PrefixPrinterOptions options_;
  TimeFormatter time_;
  Pending pending_[2];
  TerminalFilter filters_[2];
  TerminalModes modes_;  // of a terminal that gets all
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_PREFIX_PRINTER_H_
