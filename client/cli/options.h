// The parsed command line: a struct of options for each command.
#ifndef JOBTAIL_CLIENT_CLI_OPTIONS_H_
#define JOBTAIL_CLIENT_CLI_OPTIONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/style.h"
#include "client/credentials.h"
#include "jobtail/v1/job_service.pb.h"

namespace jobtail::client::cli {

// A command line as typed options: what ParseOptions() makes of it, and the commands take.

inline constexpr char kDefaultServer[] = "127.0.0.1:50051";

enum class OutputFormat { kText, kJson, kRaw };

// What all commands have in common.
struct CommonOptions {
  std::string server = kDefaultServer;
  CredentialFiles credentials = {};
  // Whether the token file among them is that of a sign-in to this server, which can be renewed.
  bool is_signed_in = false;
  // To the server, with these credentials; null: not opened yet.
  std::shared_ptr<grpc::Channel> channel = nullptr;
  // How to name the server in a command that is suggested: "jobtail", with --server, --context and
  // the like, if they are given.
  std::string program = "jobtail";
  OutputFormat output = OutputFormat::kText;
  Color color = Color::kAuto;
  // Whether the server may send lines compressed.
  bool compression = true;
};

// What run and tail have in common.
struct FollowOptions {
  bool timestamps = false;
  // Whether to draw a bar, on a terminal, for a run that reports its progress.
  bool progress = true;
  // Whether a terminal gets all that the job printed, and not only what is harmless to it.
  bool raw = false;
  // Whether rows are printed as a terminal would show them in the end.
  bool rendered = false;
  absl::Duration retry_for = absl::Minutes(5);
};

struct RunOptions {
  std::string job;
  // As they were typed: a value may be "@file", see parameters.h.
  std::map<std::string, std::string> parameters = {};
  bool detach = false;
  bool cancel_on_interrupt = false;
  // After which the run is to be cancelled.
  absl::Duration timeout = absl::InfiniteDuration();
  FollowOptions follow = {};
};

// Either runs, one at least, or a job whose runs are to be followed as they come.
struct TailOptions {
  std::vector<std::string> runs;
  std::string job;
  v1::TailLogRequest request = {};  // without the run
  FollowOptions follow = {};
};

struct JobsOptions {
  std::string job;  // empty: all
};

struct RunsOptions {
  std::string job;
  std::vector<v1::RunState> states = {};
  int64_t limit = 20;  // 0: no limit
  bool watch = false;
};

struct ShowOptions {
  std::string run;
};

struct CancelOptions {
  std::string run;
};

struct RmOptions {
  std::string run;
};

struct ExportOptions {
  v1::TailLogRequest request = {};
  bool timestamps = false;
  bool raw = false;       // as for FollowOptions
  bool rendered = false;  // as well
};

struct WhoAmIOptions {};

// Of whom the server does not say it, all of them may be empty.
struct LoginOptions {
  std::string issuer;          // its address or, of those that the server names, its name
  std::string client_id = {};  // with the issuer's address: the server is not asked
  std::string ca_file = {};    // vouches for the issuer
};

struct LogoutOptions {};

struct CompletionOptions {
  std::string shell;  // bash, zsh or fish
};

// One command line.
struct Options {
  CommonOptions common;
  std::variant<JobsOptions, RunOptions, TailOptions, RunsOptions, ShowOptions, CancelOptions,
               RmOptions, ExportOptions, WhoAmIOptions, LoginOptions, LogoutOptions,
               CompletionOptions>
      command;
};

// What became of a command line: options, or something to print instead of doing anything.
struct ParseResult {
  std::optional<Options> options;
  // If there are none: help or the version for stdout with exit code 0, or what is wrong for stderr
  // with exit code 125.
  int exit_code = 0;
  std::string text;
};

// Reads the command line and, for what it does not say, the environment (JOBTAIL_SERVER,
// JOBTAIL_CONTEXT) and the user's config file (see config_file.h), in this order.
ParseResult ParseOptions(int argc, const char* const* argv);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_OPTIONS_H_
