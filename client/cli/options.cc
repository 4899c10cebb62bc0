// A command line, read and checked, as typed options.

#include "client/cli/options.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/codec/proto_time.h"
#include "base/nearest_names.h"
#include "base/quoting.h"
#include "client/cli/checks.h"
#include "client/cli/grammar.h"
#include "client/cli/settings.h"
#include "client/cli/time_format.h"
#include "client/cli/usage_error.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

using Arguments = std::vector<std::string>;

// "help COMMAND" is "COMMAND --help".
Arguments WithoutHelpCommand(int argc, const char* const* argv) {
  Arguments arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (arguments.empty() || arguments[0] != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.push_back("--help");
  return arguments;
}

// "" if a screen can be made of what is asked for.
std::string CheckRendered(const RawOptions& raw) {
  if (raw.format == "json") {
    return "--rendered goes with --output=text; in JSON every record is as the job printed it";
  }
  if (raw.format == "raw") {
    return "--rendered goes with --output=text; raw is nothing but the job's bytes";
  }
  if (raw.raw) return "--rendered and --raw exclude each other; give one of them";
  if (!raw.pattern.empty()) {
    return "--rendered needs all lines, as each may draw over others; leave out --grep and search "
           "what is printed: jobtail ... --rendered | grep ...";
  }
  return "";
}

// What CLI11 cannot see: "" if the options make sense together.
std::string CheckSense(const std::string& command, const RawOptions& raw) {
  if (raw.timestamps && raw.format == "json") {
    return "--timestamps goes with --output=text; in JSON every line has its time";
  }
  if (raw.timestamps && raw.format == "raw") {
    return "--timestamps goes with --output=text; raw is nothing but the job's bytes";
  }
  if (raw.stdout_only && raw.stderr_only) {
    return "--stdout-only and --stderr-only exclude each other; give neither to see both";
  }
  if (raw.detach && raw.follow) return "--detach and --follow exclude each other; give one of them";
  if (raw.detach && !raw.timeout.empty()) {
    return "--timeout needs somebody who waits; leave out --detach";
  }
  if (!raw.client_id.empty() && raw.issuer.empty()) {
    return "--client-id is of an issuer; give its address with --issuer";
  }
  if (raw.rendered) {
    if (const std::string problem = CheckRendered(raw); !problem.empty()) return problem;
  }
  return command == "tail" ? CheckTail(raw) : CheckParameters(raw.parameters);
}

v1::TailLogRequest Request(const RawOptions& raw) {
  v1::TailLogRequest request;
  if (!raw.from.empty()) request.set_from_sequence(ParseNumber(raw.from));
  if (!raw.last.empty()) request.set_last_lines(ParseNumber(raw.last));
  absl::Duration ago;
  if (absl::ParseDuration(raw.since, &ago)) {
    *request.mutable_since_ago() = ToProtoDuration(ago);
  } else if (!raw.since.empty()) {
    *request.mutable_since() =
        ToTimestamp(ParseSince(raw.since, absl::Now()).value_or(absl::Now()));
  }
  if (raw.stdout_only) request.add_streams(v1::STREAM_STDOUT);
  if (raw.stderr_only) request.add_streams(v1::STREAM_STDERR);
  request.set_pattern(raw.pattern);
  return request;
}

bool WantsTimestamps(const RawOptions& raw) {
  return raw.timestamps || (raw.default_timestamps && raw.format == "text");
}

FollowOptions CollectFollow(const RawOptions& raw) {
  FollowOptions follow = {.timestamps = WantsTimestamps(raw),
                          .progress = !raw.no_progress,
                          .raw = raw.raw || raw.format == "raw",
                          .rendered = raw.rendered};
  absl::ParseDuration(raw.retry_for, &follow.retry_for);
  return follow;
}

RunOptions CollectRun(const RawOptions& raw) {
  RunOptions run = {.job = raw.job,
                    .detach = raw.detach,
                    .cancel_on_interrupt = raw.cancel_on_interrupt,
                    .follow = CollectFollow(raw)};
  if (!raw.timeout.empty()) absl::ParseDuration(raw.timeout, &run.timeout);
  for (const std::string& parameter : raw.parameters) {
    const size_t equals = parameter.find('=');
    run.parameters[parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
  return run;
}

TailOptions CollectTail(const RawOptions& raw) {
  TailOptions tail = {
      .runs = raw.runs, .job = raw.job, .request = Request(raw), .follow = CollectFollow(raw)};
  tail.request.set_follow(!raw.no_follow);
  return tail;
}

RunsOptions CollectRuns(const RawOptions& raw) {
  RunsOptions runs = {.job = raw.job, .limit = ParseNumber(raw.limit), .watch = raw.watch};
  for (const std::string& state : raw.states) runs.states.push_back(ParseState(state));
  return runs;
}

ExportOptions CollectExport(const RawOptions& raw) {
  ExportOptions options = {.request = Request(raw),
                           .timestamps = WantsTimestamps(raw),
                           .raw = raw.raw,
                           .rendered = raw.rendered};
  options.request.set_run(raw.run);
  return options;
}

Options Collect(const std::string& command, const RawOptions& raw, CommonOptions common) {
  Options options{.common = std::move(common), .command = JobsOptions{raw.job}};
  if (command == "run") options.command = CollectRun(raw);
  if (command == "tail") options.command = CollectTail(raw);
  if (command == "runs") options.command = CollectRuns(raw);
  if (command == "show") options.command = ShowOptions{raw.run};
  if (command == "cancel") options.command = CancelOptions{raw.run};
  if (command == "rm") options.command = RmOptions{raw.run};
  if (command == "export") options.command = CollectExport(raw);
  if (command == "whoami") options.command = WhoAmIOptions();
  if (command == "login") {
    options.command = LoginOptions{raw.issuer, raw.client_id, raw.issuer_ca};
  }
  if (command == "logout") options.command = LogoutOptions();
  if (command == "completion") options.command = CompletionOptions{raw.shell};
  return options;
}

bool IsUnknown(const Grammar& grammar, const std::string& word) {
  return !absl::StartsWith(word, "-") && grammar.FindCommand(word) == nullptr;
}

// The options by which a command line names its server, before a context fills in the rest.
std::string GivenServer(const Grammar& grammar, const std::string& implied) {
  const RawOptions& raw = grammar.raw();
  std::string given;
  const bool is_implied = raw.server == implied && raw.context.empty();
  if (grammar.IsGiven("--server") && !is_implied)
    absl::StrAppend(&given, " --server=", ShellQuoted(raw.server));
  const std::pair<const char*, const std::string&> options[] = {
      {"--context", raw.context},
      {"--tls-ca", raw.credentials.ca_file},
      {"--tls-cert", raw.credentials.certificate_file},
      {"--tls-key", raw.credentials.key_file},
      {"--token-file", raw.credentials.token_file}};
  if (raw.credentials.tls) absl::StrAppend(&given, " --tls");
  for (const auto& [name, value] : options) {
    if (grammar.IsGiven(name)) absl::StrAppend(&given, " ", name, "=", ShellQuoted(value));
  }
  return given;
}

ParseResult Failure(const std::string& what) {
  return ParseResult{std::nullopt, kExitOwnFailure, absl::StrCat("jobtail: ", what, "\n")};
}

}  // namespace

ParseResult ParseOptions(int argc, const char* const* argv) {
  Grammar grammar;
  // A config file that is wrong is told only to a command line that is right: help always works.
  const absl::StatusOr<std::string> implied_server = ApplySettings(&grammar.raw());
  const Arguments arguments = WithoutHelpCommand(argc, argv);
  if (argc > 2 && absl::string_view(argv[1]) == "help" && IsUnknown(grammar, argv[2])) {
    return Failure(absl::StrCat("there is no command ", Printable(argv[2]),
                                DidYouMean(argv[2], grammar.Commands()), "; see jobtail --help"));
  }
  try {
    grammar.app().parse(Arguments(arguments.rbegin(), arguments.rend()));  // CLI11 wants it so
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, 0, absl::StrCat(absl::StripSuffix(grammar.app().help(), "\n"), "\n")};
  } catch (const CLI::CallForVersion& version) {
    return {std::nullopt, 0, absl::StrCat(version.what(), "\n")};
  } catch (const CLI::Error& error) {
    return Failure(DescribeUsageError(grammar, error, arguments));
  }
  if (!implied_server.ok()) return Failure(std::string(implied_server.status().message()));
  const bool server_given = grammar.IsGiven("--server");
  const bool context_given = grammar.IsGiven("--context");
  const std::string given = GivenServer(grammar, *implied_server);
  if (const std::string problem = ChooseServer(server_given, context_given, &grammar.raw());
      !problem.empty()) {
    return Failure(problem);
  }
  const RawOptions& raw = grammar.raw();
  const std::string command = grammar.app().get_subcommands()[0]->get_name();
  if (const std::string problem = CheckSense(command, raw); !problem.empty()) {
    return Failure(problem);
  }
  CommonOptions common = {.server = raw.server,
                          .credentials = raw.credentials,
                          .program = absl::StrCat("jobtail", given),
                          .output = ParseFormat(raw.format),
                          .color = ParseColor(raw.color),
                          .compression = !raw.no_compression};
  return {Collect(command, raw, std::move(common)), 0, ""};
}

}  // namespace jobtail::client::cli
