// Jobs and runs as tables and sentences.

#include "client/cli/describe.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/codec/proto_time.h"
#include "base/quoting.h"
#include "client/cli/table.h"
#include "client/cli/time_format.h"
#include "client/run_state.h"

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
  if (!run.has_result() || !run.has_start_time() || run.state() == v1::RUN_STATE_LOST) return "-";
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

// How far a run that is at work has come; "" for others.
std::string Progress(const v1::Run& run) {
  return run.has_progress() && !IsFinal(run.state()) ? DescribeProgress(run.progress()) : "";
}

Table RunsTable(const std::vector<v1::Run>& runs, absl::Time now, bool short_ids) {
  Table table;
  const auto head = [](const char* text) { return Table::Cell(text, Paint::kBold); };
  table.AddRow({head("RUN"), head("JOB"), head("STATE"), head("STARTED"), head("DURATION"),
                head("EXIT"), head("PROGRESS")});
  const bool any_progress = std::any_of(runs.begin(), runs.end(),
                                        [](const v1::Run& run) { return !Progress(run).empty(); });
  for (const v1::Run& run : runs) {
    table.AddRow({short_ids ? ShortId(run.id()) : run.id(), run.job(),
                  Table::Cell(StateName(run.state()), PaintOf(run.state())),
                  run.has_start_time() ? LocalTime(run.start_time()) : "-", Duration(run, now),
                  Exit(run), Progress(run)});
  }
  if (!any_progress) table.DropColumn(6);
  return table;
}

std::string Printed(const v1::RunResult& result) {
  return absl::StrCat(result.total_lines(), result.total_lines() == 1 ? " line, " : " lines, ",
                      result.total_bytes(), result.total_bytes() == 1 ? " byte" : " bytes");
}

std::string Used(const v1::ResourceUsage& usage) {
  return absl::StrFormat("%s user, %s system, %.1f MiB of memory",
                         ShortDuration(ToDuration(usage.user_time())),
                         ShortDuration(ToDuration(usage.system_time())),
                         static_cast<double>(usage.peak_memory_bytes()) / (1 << 20));
}

void AddTime(const char* name, bool is_set, const google::protobuf::Timestamp& time, Table* table) {
  if (is_set) table->AddRow({name, LocalTime(time)});
}

}  // namespace

std::string DescribeJobs(const std::vector<v1::Job>& jobs, const TableLook& look) {
  TableLook indented = look;
  indented.indent = "    ";
  std::vector<std::string> blocks;
  for (const v1::Job& job : jobs) {
    Table head;
    head.AddRow({Table::Cell(job.name(), Paint::kBold), job.help()});
    Table parameters;
    for (const v1::Parameter& parameter : job.parameters()) {
      parameters.AddRow({parameter.name(), TypeName(parameter), Default(parameter),
                         parameter.help() + Limits(parameter)});
    }
    blocks.push_back(head.Render(look) + parameters.Render(indented));
  }
  return absl::StrJoin(blocks, "\n");
}

std::string DescribeRuns(const std::vector<v1::Run>& runs, absl::Time now, const TableLook& look) {
  Table table = RunsTable(runs, now, /*short_ids=*/false);
  if (table.Columns() > look.columns) table = RunsTable(runs, now, /*short_ids=*/true);
  return table.Render(look);
}

std::string DescribeChange(const v1::Run& run, absl::Time now, bool color) {
  const std::string state = run.has_delete_time() ? "DELETED" : StateName(run.state());
  std::string line = absl::StrCat(absl::FormatTime("%Y-%m-%d %H:%M:%S", now, absl::LocalTimeZone()),
                                  "  ", Printable(run.id()), "  ", Printable(run.job()), "  ",
                                  color ? Painted(state, PaintOf(run.state())) : state);
  if (run.has_result()) absl::StrAppend(&line, "  ", Duration(run, now), "  exit ", Exit(run));
  const std::string progress = run.has_delete_time() ? "" : Progress(run);
  if (!progress.empty()) absl::StrAppend(&line, "  ", Printable(progress));
  return line + "\n";
}

std::string DescribeProgress(const v1::RunProgress& progress) {
  std::string text = absl::StrFormat("%.0f%%", progress.fraction() * 100);
  if (!progress.text().empty()) absl::StrAppend(&text, " ", progress.text());
  if (progress.has_remaining()) {
    absl::StrAppend(&text, " (", ShortDuration(ToDuration(progress.remaining())), " left)");
  }
  return text;
}

std::string ShortId(const std::string& id) {
  constexpr size_t kSize = 18;  // of a UUID of version 7: its time
  return id.substr(0, kSize);
}

std::string DescribeRun(const v1::Run& run, absl::Time now, const TableLook& look) {
  Table table;
  table.AddRow({"run", run.id()});
  table.AddRow({"job", CommandLine(run)});
  table.AddRow({"state", Table::Cell(StateName(run.state()), PaintOf(run.state()))});
  AddTime("created", run.has_create_time(), run.create_time(), &table);
  AddTime("started", run.has_start_time(), run.start_time(), &table);
  AddTime("asked to stop", run.has_cancel_time(), run.cancel_time(), &table);
  AddTime("ended", run.has_end_time(), run.end_time(), &table);
  if (run.has_start_time()) table.AddRow({"duration", Duration(run, now)});
  if (run.has_progress()) table.AddRow({"progress", DescribeProgress(run.progress())});
  if (run.has_result()) {
    table.AddRow({"exit", Exit(run)});
    if (!run.result().error().empty()) table.AddRow({"error", run.result().error()});
    table.AddRow({"printed", Printed(run.result())});
    if (run.result().has_usage()) table.AddRow({"used", Used(run.result().usage())});
  } else {
    table.AddRow({"printed", absl::StrCat(run.last_sequence(), " lines so far")});
  }
  return table.Render(look);
}

}  // namespace jobtail::client::cli
