#include "client/cli/options.h"

#include <google/protobuf/stubs/common.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "client/cli/help.h"
#include "client/cli/text.h"
#include "client/cli/time_format.h"
#include "client/outcome.h"

namespace jobtail::client::cli {
namespace {

// Each check returns what is wrong with a value, and how to mend it; nothing if it is right.

std::string CheckServer(const std::string& server) {
  const std::string remedy = absl::StrCat("; write HOST:PORT, for example ", kDefaultServer);
  const std::string name = absl::StrCat("'", Printable(server), "'");
  if (absl::StrContains(server, "://")) return absl::StrCat(name, " is a URL", remedy);
  if (absl::StartsWith(server, "unix:")) return "";
  const size_t colon = server.rfind(':');
  const bool has_port = colon != std::string::npos && colon > 0 && colon + 1 < server.size() &&
                        server.find(']', colon) == std::string::npos;
  return has_port ? "" : absl::StrCat(name, " names no host and port", remedy);
}

std::string CheckParameter(const std::string& parameter) {
  const size_t equals = parameter.find('=');
  if (equals == std::string::npos || equals == 0) {
    return absl::StrCat("'", Printable(parameter), "' is not a parameter; write name=value");
  }
  const auto size = static_cast<int>(parameter.size());
  if (google::protobuf::internal::IsStructurallyValidUTF8(parameter.data(), size)) return "";
  return absl::StrCat("'", Printable(parameter), "' is not UTF-8; pass such bytes in a file");
}

std::string CheckSince(const std::string& since) {
  if (ParseSince(since, absl::Now()).has_value()) return "";
  return absl::StrCat("'", Printable(since), "' is no time; write how long ago, as 10m or 1h30m, ",
                      "or a time, as 2024-05-06T07:08:09Z");
}

std::string CheckDuration(const std::string& text) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration()) return "";
  return absl::StrCat("'", Printable(text), "' is no duration; write 30s, 5m, or inf for ever");
}

v1::RunState ParseState(const std::string& text) {
  v1::RunState state = v1::RUN_STATE_UNSPECIFIED;
  v1::RunState_Parse(absl::StrCat("RUN_STATE_", absl::AsciiStrToUpper(text)), &state);
  return state;
}

std::string CheckState(const std::string& text) {
  if (ParseState(text) != v1::RUN_STATE_UNSPECIFIED) return "";
  return absl::StrCat("'", Printable(text), "' is no state; there are pending, running, ",
                      "succeeded, failed, cancelled, timed_out and lost");
}

OutputFormat ParseFormat(const std::string& format) {
  if (format == "json") return OutputFormat::kJson;
  return format == "raw" ? OutputFormat::kRaw : OutputFormat::kText;
}

// The command line's grammar, with everything that it can set in the types that CLI11 fills.
class Parser {
 public:
  Parser();
  ParseResult Parse(int argc, const char* const* argv);

 private:
  void AddServer(CLI::App* app);
  CLI::App* AddCommand(const char* name, const char* description, const char* footer,
                       const char* description_of_output, std::vector<std::string> formats);
  CLI::App* AddFollowCommand(const char* name, const char* description, const char* footer);
  CLI::App* AddListCommand(const char* name, const char* description, const char* footer);
  void AddRun();
  void AddTail();
  void AddRuns();
  void AddRunId(CLI::App* command);

  std::string Explain(const CLI::Error& error) const;
  std::string CheckSense() const;
  Options Collect();
  void CollectCommon();
  void CollectRun();
  void CollectTail();

  CLI::App app_{"Runs jobs on a jobtail server and shows what they print, live.", "jobtail"};
  std::vector<CLI::Option*> server_options_;
  CommonOptions common_;
  std::string format_ = "text";
  FollowOptions follow_;
  std::string retry_for_ = "5m";
  RunOptions run_;
  std::vector<std::string> parameters_;
  TailOptions tail_;
  int64_t from_ = 0;
  int64_t last_ = -1;
  std::string since_;
  bool no_follow_ = false;
  bool stdout_only_ = false;
  bool stderr_only_ = false;
  RunsOptions runs_;
  std::vector<std::string> states_;
  std::string run_id_;
};

Parser::Parser() {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", "jobtail " JOBTAIL_VERSION, "Print the version and exit");
  app_.footer(help::kMain);
  app_.get_formatter()->column_width(36);
  AddServer(&app_);
  AddRun();
  AddTail();
  AddListCommand("jobs", "List what can be run", help::kJobs);
  AddRuns();
  AddRunId(AddListCommand("show", "Show all about one run", help::kShow));
  AddRunId(AddListCommand("cancel", "Ask a run to stop", help::kCancel));
  AddRunId(AddListCommand("rm", "Delete a run that has ended, and its log", help::kRm));
}

void Parser::AddServer(CLI::App* app) {
  CLI::Option* option = app->add_option("--server", common_.server, "The server [127.0.0.1:50051]");
  option->option_text("HOST:PORT")->check(CheckServer);
  if (app == &app_) option->envname("JOBTAIL_SERVER");
  server_options_.push_back(option);
}

CLI::App* Parser::AddCommand(const char* name, const char* description, const char* footer,
                             const char* description_of_output, std::vector<std::string> formats) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->footer(footer);
  AddServer(command);
  command->add_option("--output", format_, description_of_output)
      ->option_text("FORMAT")
      ->check(CLI::IsMember(std::move(formats)));
  return command;
}

CLI::App* Parser::AddFollowCommand(const char* name, const char* description, const char* footer) {
  CLI::App* command = AddCommand(name, description, footer,
                                 "text, json (one object a line), or raw (text without notices)",
                                 {"text", "json", "raw"});
  command->add_flag("--timestamps", follow_.timestamps, "Begin each line with its time, in UTC");
  command->add_option("--retry-for", retry_for_, "How long to wait for a server that is gone [5m]")
      ->option_text("DURATION")
      ->check(CheckDuration);
  return command;
}

CLI::App* Parser::AddListCommand(const char* name, const char* description, const char* footer) {
  return AddCommand(name, description, footer, "text, or json (one object a line)",
                    {"text", "json"});
}

void Parser::AddRun() {
  CLI::App* command = AddFollowCommand("run", "Start a run and follow it", help::kRun);
  command->add_option("JOB", run_.job, "The job; 'jobtail jobs' lists them")
      ->type_name("")
      ->required();
  command->add_option("PARAMETERS", parameters_, "The values of its parameters")
      ->option_text("name=value ...")
      ->check(CheckParameter);
  command->add_flag("--detach", run_.detach, "Print the run's id and do not follow it");
  command->add_flag("--cancel-on-interrupt", run_.cancel_on_interrupt,
                    "Ctrl-C cancels the run and follows it to its end");
}

void Parser::AddTail() {
  CLI::App* command = AddFollowCommand("tail", "Follow a run", help::kTail);
  AddRunId(command);
  CLI::Option* from = command->add_option("--from", from_, "Start with line N; the first is 1")
                          ->option_text("N")
                          ->check(CLI::Range(int64_t{1}, INT64_MAX));
  CLI::Option* last = command->add_option("-n,--last", last_, "Start with the last N lines")
                          ->option_text("N")
                          ->check(CLI::Range(int64_t{0}, INT64_MAX))
                          ->excludes(from);
  command->add_option("--since", since_, "Start with lines since then: 10m (ago), or a date")
      ->option_text("TIME")
      ->check(CheckSince)
      ->excludes(from)
      ->excludes(last);
  command->add_flag("--no-follow", no_follow_, "Stop at the end of what there is");
  command->add_option("--grep", *tail_.request.mutable_pattern(), "Only lines that match (RE2)")
      ->option_text("RE");
  command->add_flag("--stdout-only", stdout_only_, "Only the job's stdout");
  command->add_flag("--stderr-only", stderr_only_, "Only the job's stderr");
}

void Parser::AddRuns() {
  CLI::App* command = AddListCommand("runs", "List runs, the newest first", help::kRuns);
  command->add_option("--job", runs_.job, "Only runs of this job")->option_text("JOB");
  command->add_option("--state", states_, "Only runs in these states: running, failed, ...")
      ->option_text("STATE[,STATE]")
      ->delimiter(',')
      ->check(CheckState);
  command->add_option("--limit", runs_.limit, "At most this many; 0 for all [20]")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
}

void Parser::AddRunId(CLI::App* command) {
  command->add_option("RUN", run_id_, "The run's id; 'jobtail runs' lists them")
      ->type_name("")
      ->required();
}

ParseResult Parser::Parse(int argc, const char* const* argv) {
  const auto fail = [](const std::string& what) {
    return ParseResult{std::nullopt, kExitOwnFailure, absl::StrCat("jobtail: ", what, "\n")};
  };
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, 0, absl::StrCat(absl::StripSuffix(app_.help(), "\n"), "\n")};
  } catch (const CLI::CallForVersion& version) {
    return {std::nullopt, 0, absl::StrCat(version.what(), "\n")};
  } catch (const CLI::Error& error) {
    return fail(Explain(error));
  }
  if (const std::string problem = CheckSense(); !problem.empty()) return fail(problem);
  return {Collect(), 0, ""};
}

// What CLI11 complains of, in terms of this command line.
std::string Parser::Explain(const CLI::Error& error) const {
  const std::vector<CLI::App*> commands = app_.get_subcommands();
  if (!commands.empty()) {
    return absl::StrCat(Printable(error.what()), "; see jobtail ", commands[0]->get_name(),
                        " --help");
  }
  const std::vector<std::string> unknown = app_.remaining();
  if (unknown.empty()) return absl::StrCat(Printable(error.what()), "; see jobtail --help");
  const char* kind = absl::StartsWith(unknown[0], "-") ? "option" : "command";
  return absl::StrCat("there is no ", kind, " ", Printable(unknown[0]), "; see jobtail --help");
}

// What CLI11 cannot see.
std::string Parser::CheckSense() const {
  if (follow_.timestamps && format_ == "json") {
    return "--timestamps goes with --output=text; in JSON every line has its time";
  }
  if (follow_.timestamps && format_ == "raw") {
    return "--timestamps goes with --output=text; raw is nothing but the job's bytes";
  }
  if (stdout_only_ && stderr_only_) {
    return "--stdout-only and --stderr-only exclude each other; give neither to see both";
  }
  std::map<std::string, std::string> seen;
  for (const std::string& parameter : parameters_) {
    const std::string name = parameter.substr(0, parameter.find('='));
    if (seen.emplace(name, "").second) continue;
    return absl::StrCat("parameter ", Printable(name), " is given twice; give it once");
  }
  return "";
}

Options Parser::Collect() {
  CollectCommon();
  Options options{.common = common_, .command = JobsOptions()};
  const std::string command = app_.get_subcommands()[0]->get_name();
  if (command == "run") {
    CollectRun();
    options.command = run_;
  } else if (command == "tail") {
    CollectTail();
    options.command = tail_;
  } else if (command == "runs") {
    for (const std::string& state : states_) runs_.states.push_back(ParseState(state));
    options.command = runs_;
  } else if (command == "show") {
    options.command = ShowOptions{run_id_};
  } else if (command == "cancel") {
    options.command = CancelOptions{run_id_};
  } else if (command == "rm") {
    options.command = RmOptions{run_id_};
  }
  return options;
}

void Parser::CollectCommon() {
  common_.output = ParseFormat(format_);
  const char* from_environment = std::getenv("JOBTAIL_SERVER");
  const std::string implied = from_environment != nullptr ? from_environment : kDefaultServer;
  if (common_.server != implied) {
    common_.program = absl::StrCat("jobtail --server=", ShellQuoted(common_.server));
  }
  absl::ParseDuration(retry_for_, &follow_.retry_for);
}

void Parser::CollectRun() {
  run_.follow = follow_;
  for (const std::string& parameter : parameters_) {
    const size_t equals = parameter.find('=');
    run_.parameters[parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
}

void Parser::CollectTail() {
  tail_.follow = follow_;
  v1::TailLogRequest& request = tail_.request;
  request.set_run(run_id_);
  request.set_follow(!no_follow_);
  if (from_ > 0) request.set_from_sequence(from_);
  if (last_ >= 0) request.set_last_lines(last_);
  if (!since_.empty()) {
    const absl::Time since = ParseSince(since_, absl::Now()).value_or(absl::Now());
    *request.mutable_since() = FromTime(since);
  }
  if (stdout_only_) request.add_streams(v1::STREAM_STDOUT);
  if (stderr_only_) request.add_streams(v1::STREAM_STDERR);
}

}  // namespace

ParseResult ParseOptions(int argc, const char* const* argv) { return Parser().Parse(argc, argv); }

}  // namespace jobtail::client::cli
