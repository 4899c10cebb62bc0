// The command line's options and subcommands, as CLI11 knows them.
#ifndef JOBTAIL_CLIENT_CLI_GRAMMAR_H_
#define JOBTAIL_CLIENT_CLI_GRAMMAR_H_

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "client/cli/config_file.h"
#include "client/cli/options.h"

namespace jobtail::client::cli {

// What a command line has said, in the types that CLI11 fills. Numbers and times are texts here,
// for which our own checks have better words than CLI11.
struct RawOptions {
  std::string server = kDefaultServer;
  std::string context;  // "" for none
  std::map<std::string, Context> contexts;
  CredentialFiles credentials;
  std::string color = "auto";
  std::string format = "text";
  std::string retry_for = "5m";
  bool timestamps = false;
  bool default_timestamps = false;  // as the config file says; of text only
  bool no_progress = false;
  bool no_compression = false;
  bool raw = false;
  bool rendered = false;
  std::string job;
  std::vector<std::string> parameters;
  bool follow = false;
  bool detach = false;
  bool cancel_on_interrupt = false;
  std::string timeout;
  std::string run;                // of commands that take one
  std::vector<std::string> runs;  // of tail
  std::string from;
  std::string last;
  std::string since;
  std::string pattern;
  bool no_follow = false;
  bool stdout_only = false;
  bool stderr_only = false;
  bool watch = false;
  std::vector<std::string> states;
  std::string limit = "20";
  std::string shell;
  std::string issuer;
  std::string client_id;
  std::string issuer_ca;
};

// The command line's grammar. Both the parser and the completion of half a command line go by it.
class Grammar {
 public:
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  CLI::App& app() { return app_; }
  const CLI::App& app() const { return app_; }
  RawOptions& raw() { return raw_; }
  const RawOptions& raw() const { return raw_; }

  // nullptr if there is none of this name.
  const CLI::App* FindCommand(const std::string& name) const;

  // The names of the commands, and of a command's options as they are typed: "--from".
  std::vector<std::string> Commands() const;
  static std::vector<std::string> OptionNames(const CLI::App& command);

  // Whether the command line that was parsed has an option, before the command or after it.
  bool IsGiven(const std::string& name) const;

 private:
  void AddCommonOptions(CLI::App* app);
  void AddCredentials(CLI::App* app);
  CLI::App* AddCommand(const char* name, const char* description, const char* footer);
  CLI::App* AddListCommand(const char* name, const char* description, const char* footer);
  CLI::App* AddFollowCommand(const char* name, const char* description, const char* footer);
  void AddFormats(CLI::App* command, bool raw);
  void AddCompression(CLI::App* command);
  void AddRaw(CLI::App* command);
  void AddRendered(CLI::App* command);
  void AddFilters(CLI::App* command);
  void AddRun();
  void AddTail();
  void AddJobs();
  void AddRuns();
  void AddExport();
  void AddLogin();
  void AddCompletion();
  void AddRunId(CLI::App* command);

  CLI::App app_{"Runs jobs on a jobtail server and shows what they print, live.", "jobtail"};
  RawOptions raw_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_GRAMMAR_H_
