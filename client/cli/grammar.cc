// The commands and options, as CLI11 wants them told.

#include "client/cli/grammar.h"

#include <algorithm>

#include "client/cli/checks.h"
#include "client/cli/help.h"

namespace jobtail::client::cli {

Grammar::Grammar() {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", "jobtail " JOBTAIL_VERSION, "Print the version and exit");
  app_.footer(help::kMain);
  app_.get_formatter()->column_width(36);
  AddCommonOptions(&app_);
  AddRun();
  AddTail();
  AddJobs();
  AddRuns();
  AddRunId(AddListCommand("show", "Show all about one run", help::kShow));
  AddRunId(AddListCommand("cancel", "Ask a run to stop", help::kCancel));
  AddRunId(AddListCommand("rm", "Delete a run that has ended, and its log", help::kRm));
  AddExport();
  AddListCommand("whoami", "Tell who you are to the server, and what you may do", help::kWhoAmI);
  AddLogin();
  AddCommand("logout", "Forget the sign-in to a server", help::kLogout);
  AddCompletion();
}

const CLI::App* Grammar::FindCommand(const std::string& name) const {
  for (const CLI::App* command : app_.get_subcommands(nullptr)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

std::vector<std::string> Grammar::Commands() const {
  std::vector<std::string> names;
  for (const CLI::App* command : app_.get_subcommands(nullptr))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> Grammar::OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void Grammar::AddCommonOptions(CLI::App* app) {
  app->add_option("--server", raw_.server, "The server; also JOBTAIL_SERVER [127.0.0.1:50051]")
      ->option_text("HOST:PORT")
      ->check(CheckServer);
  app->add_option("--context", raw_.context,
                  "A server of the config file, by its name there; also JOBTAIL_CONTEXT")
      ->option_text("NAME");
  AddCredentials(app);
  app->add_option("--color", raw_.color, "Use colours: auto (on a terminal), always, never")
      ->option_text("WHEN")
      ->check(CheckColor);
}

void Grammar::AddCredentials(CLI::App* app) {
  CredentialFiles& files = raw_.credentials;
  app->add_flag("--tls", files.tls, "Encrypt; the server's certificate is of a CA of the system");
  app->add_option("--tls-ca", files.ca_file, "Encrypt; the certificate is of one of these CAs")
      ->option_text("FILE");
  app->add_option("--tls-cert", files.certificate_file, "The certificate that tells who you are")
      ->option_text("FILE");
  app->add_option("--tls-key", files.key_file, "Its key")->option_text("FILE");
  app->add_option("--token-file", files.token_file, "A token that tells who you are")
      ->option_text("FILE");
}

bool Grammar::IsGiven(const std::string& name) const {
  const auto has = [&name](const CLI::App* app) {
    const CLI::Option* const option = app->get_option_no_throw(name);
    return option != nullptr && option->count() > 0;
  };
  const auto commands = app_.get_subcommands(nullptr);
  return has(&app_) || std::any_of(commands.begin(), commands.end(), has);
}

CLI::App* Grammar::AddCommand(const char* name, const char* description, const char* footer) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->footer(footer);
  AddCommonOptions(command);
  return command;
}

void Grammar::AddFormats(CLI::App* command, bool raw) {
  command
      ->add_option("--output", raw_.format,
                   raw ? "text, json (one object a line), or raw (text without notices)"
                       : "text, or json (one object a line)")
      ->option_text("FORMAT")
      ->check(raw ? CheckFormat : CheckListFormat);
}

CLI::App* Grammar::AddListCommand(const char* name, const char* description, const char* footer) {
  CLI::App* command = AddCommand(name, description, footer);
  AddFormats(command, /*raw=*/false);
  return command;
}

CLI::App* Grammar::AddFollowCommand(const char* name, const char* description, const char* footer) {
  CLI::App* command = AddCommand(name, description, footer);
  AddFormats(command, /*raw=*/true);
  command->add_flag("--timestamps", raw_.timestamps, "Begin each line with its time, in UTC");
  AddRaw(command);
  AddRendered(command);
  command
      ->add_option("--retry-for", raw_.retry_for, "How long to wait for a server that is gone [5m]")
      ->option_text("DURATION")
      ->check(CheckDuration);
  AddCompression(command);
  return command;
}

void Grammar::AddCompression(CLI::App* command) {
  command->add_flag("--no-compression", raw_.no_compression,
                    "Have lines sent as they are, not compressed");
}

void Grammar::AddRaw(CLI::App* command) {
  command->add_flag("--raw", raw_.raw,
                    "Let the job drive the terminal: all its escape sequences, not colours alone");
}

void Grammar::AddRendered(CLI::App* command) {
  command->add_flag("--rendered", raw_.rendered,
                    "Print rows as a terminal would show them in the end, as plain text");
}

void Grammar::AddFilters(CLI::App* command) {
  command->add_option("--grep", raw_.pattern, "Only lines that match (RE2)")
      ->option_text("RE")
      ->check(CheckPattern);
  command->add_flag("--stdout-only", raw_.stdout_only, "Only the job's stdout");
  command->add_flag("--stderr-only", raw_.stderr_only, "Only the job's stderr");
}

void Grammar::AddRun() {
  CLI::App* command = AddFollowCommand("run", "Start a run and follow it", help::kRun);
  command->add_option("JOB", raw_.job, "The job; 'jobtail jobs' lists them")
      ->type_name("")
      ->required();
  command->add_option("PARAMETERS", raw_.parameters, "The values of its parameters")
      ->option_text("name=value, name=@file ...")
      ->check(CheckParameter);
  command->add_flag("--follow", raw_.follow, "Follow the run to its end: the default");
  command->add_flag("--detach", raw_.detach, "Print the run's id and do not follow it");
  command->add_option("--timeout", raw_.timeout, "Cancel the run if it takes longer; exit code 124")
      ->option_text("DURATION")
      ->check(CheckDuration);
  command->add_flag("--cancel-on-interrupt", raw_.cancel_on_interrupt,
                    "Ctrl-C cancels the run and follows it to its end");
  command->add_flag("--no-progress", raw_.no_progress, "Draw no progress bar on the terminal");
}

void Grammar::AddTail() {
  CLI::App* command = AddFollowCommand("tail", "Follow a run, or several at once", help::kTail);
  command->add_option("RUN", raw_.runs, "The runs' ids; 'jobtail runs' lists them")->type_name("");
  command->add_option("--job", raw_.job, "Follow all runs of this job, as they come")
      ->option_text("JOB");
  command->add_option("--from", raw_.from, "Start with line N; the first is 1")
      ->option_text("N")
      ->check(CheckLineNumber);
  command->add_option("-n,--last", raw_.last, "Start with the last N lines")
      ->option_text("N")
      ->check(CheckCount);
  command->add_option("--since", raw_.since, "Start with lines since then: 10m (ago), or a date")
      ->option_text("TIME")
      ->check(CheckSince);
  command->add_flag("--no-follow", raw_.no_follow, "Stop at the end of what there is");
  AddFilters(command);
  command->add_flag("--no-progress", raw_.no_progress, "Draw no progress bar on the terminal");
}

void Grammar::AddJobs() {
  CLI::App* command = AddListCommand("jobs", "List what can be run", help::kJobs);
  command->add_option("JOB", raw_.job, "Only this job")->type_name("");
}

void Grammar::AddRuns() {
  CLI::App* command = AddListCommand("runs", "List runs, the newest first", help::kRuns);
  command->add_option("--job", raw_.job, "Only runs of this job")->option_text("JOB");
  command->add_option("--state", raw_.states, "Only runs in these states: running, failed, ...")
      ->option_text("STATE[,STATE]")
      ->delimiter(',')
      ->check(CheckState);
  command->add_option("--limit", raw_.limit, "At most this many; 0 for all [20]")
      ->option_text("N")
      ->check(CheckCount);
  command->add_flag("--watch", raw_.watch, "Go on showing them as they change");
}

void Grammar::AddExport() {
  CLI::App* command = AddListCommand("export", "Write a run's whole log to stdout", help::kExport);
  AddRunId(command);
  command->add_flag("--timestamps", raw_.timestamps, "Begin each line with its time, in UTC");
  AddRaw(command);
  AddRendered(command);
  AddFilters(command);
  AddCompression(command);
}

void Grammar::AddLogin() {
  CLI::App* command = AddCommand("login", "Sign in, with a browser on any device", help::kLogin);
  command
      ->add_option("--issuer", raw_.issuer,
                   "Whom to sign in with: a name that the server has for it, or its address")
      ->option_text("ISSUER");
  command
      ->add_option("--client-id", raw_.client_id,
                   "What the server is called there; with --issuer, the server is not asked")
      ->option_text("ID");
  command
      ->add_option("--issuer-ca", raw_.issuer_ca, "The issuer's certificate is of one of these CAs")
      ->option_text("FILE");
}

void Grammar::AddCompletion() {
  CLI::App* command =
      app_.add_subcommand("completion", "Print a script that completes command lines");
  command->footer(help::kCompletion);
  command->add_option("SHELL", raw_.shell, "bash, zsh or fish")
      ->type_name("")
      ->required()
      ->check([](const std::string& shell) {
        if (shell == "bash" || shell == "zsh" || shell == "fish") return std::string();
        return "'" + shell + "' is no shell that is known; there are bash, zsh and fish";
      });
}

void Grammar::AddRunId(CLI::App* command) {
  command->add_option("RUN", raw_.run, "The run's id, or its beginning; 'jobtail runs' lists them")
      ->type_name("")
      ->required();
}

}  // namespace jobtail::client::cli
