#include "client/cli/describe.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cli/table.h"
#include "client/cli/text.h"
#include "client/cli/time_format.h"
#include "client/outcome.h"

namespace jobtail::client::cli {
namespace {

std::string TypeName(const v1::Parameter& parameter) {
  if (parameter.type() == v1::PARAMETER_TYPE_ENUM) return absl::StrJoin(parameter.values(), "|");
  const std::string& name = v1::ParameterType_Name(parameter.type());
  return absl::AsciiStrToLower(absl::StripPrefix(name, "PARAMETER_TYPE_"));
}

// "default 10", "required".
std::string Default(const v1::Parameter& parameter) {
  if (parameter.required()) return "required";
  const std::string& value = parameter.default_value();
  return absl::StrCat("default ", ShellQuoted(value));
}

// "1 to 10", "at least 1"; empty without limits.
std::string Limits(const v1::Parameter& parameter) {
  const std::string& minimum = parameter.minimum();
  const std::string& maximum = parameter.maximum();
  if (minimum.empty() && maximum.empty()) return "";
  if (maximum.empty()) return absl::StrCat(" (at least ", minimum, ")");
  if (minimum.empty()) return absl::StrCat(" (at most ", maximum, ")");
  return absl::StrCat(" (", minimum, " to ", maximum, ")");
}

std::string Duration(const v1::Run& run, absl::Time now) {
  if (run.has_result()) return ShortDuration(ToDuration(run.result().duration()));
  if (!run.has_start_time()) return "-";
  const absl::Time end = run.has_end_time() ? ToTime(run.end_time()) : now;
  return ShortDuration(end - ToTime(run.start_time()));
}

std::string Exit(const v1::Run& run) {
  if (!run.has_result()) return "-";
  if (run.result().signal() > 0) return absl::StrCat("signal ", run.result().signal());
  return absl::StrCat(run.result().exit_code());
}

std::string CommandLine(const v1::Run& run) {
  std::string line = run.job();
  const std::map<std::string, std::string> sorted(run.parameters().begin(), run.parameters().end());
  for (const auto& [name, value] : sorted) {
    absl::StrAppend(&line, " ", name, "=", value.empty() ? "" : ShellQuoted(value));
  }
  return line;
}

std::string Progress(const v1::RunProgress& progress) {
  std::string text = absl::StrFormat("%.0f%%", progress.fraction() * 100);
  if (!progress.text().empty()) absl::StrAppend(&text, " ", progress.text());
  if (progress.has_remaining()) {
    absl::StrAppend(&text, " (", ShortDuration(ToDuration(progress.remaining())), " left)");
  }
  return text;
}

void AddTime(const char* name, bool is_set, const google::protobuf::Timestamp& time, Table* table) {
  if (is_set) table->AddRow({name, LocalTime(time)});
}

}  // namespace

std::string DescribeJobs(const std::vector<v1::Job>& jobs) {
  std::vector<std::string> blocks;
  for (const v1::Job& job : jobs) {
    Table head;
    head.AddRow({job.name(), job.help()});
    Table parameters;
    for (const v1::Parameter& parameter : job.parameters()) {
      parameters.AddRow({parameter.name(), TypeName(parameter), Default(parameter),
                         parameter.help() + Limits(parameter)});
    }
    blocks.push_back(head.Render() + parameters.Render("    "));
  }
  return absl::StrJoin(blocks, "\n");
}

std::string DescribeRuns(const std::vector<v1::Run>& runs, absl::Time now) {
  Table table;
  table.AddRow({"RUN", "JOB", "STATE", "STARTED", "DURATION", "EXIT"});
  for (const v1::Run& run : runs) {
    table.AddRow({run.id(), run.job(), StateName(run.state()),
                  run.has_start_time() ? LocalTime(run.start_time()) : "-", Duration(run, now),
                  Exit(run)});
  }
  return table.Render();
}

std::string DescribeRun(const v1::Run& run, absl::Time now) {
  Table table;
  table.AddRow({"run", run.id()});
  table.AddRow({"job", CommandLine(run)});
  table.AddRow({"state", StateName(run.state())});
  AddTime("created", run.has_create_time(), run.create_time(), &table);
  AddTime("started", run.has_start_time(), run.start_time(), &table);
  AddTime("asked to stop", run.has_cancel_time(), run.cancel_time(), &table);
  AddTime("ended", run.has_end_time(), run.end_time(), &table);
  if (run.has_start_time()) table.AddRow({"duration", Duration(run, now)});
  if (run.has_progress()) table.AddRow({"progress", Progress(run.progress())});
  if (run.has_result()) {
    table.AddRow({"exit", Exit(run)});
    if (!run.result().error().empty()) table.AddRow({"error", run.result().error()});
    table.AddRow({"printed", absl::StrCat(run.result().total_lines(), " lines, ",
                                          run.result().total_bytes(), " bytes")});
  } else {
    table.AddRow({"printed", absl::StrCat(run.last_sequence(), " lines so far")});
  }
  return table.Render();
}

}  // namespace jobtail::client::cli
