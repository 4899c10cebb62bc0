// A job made of what the config file says, field by field.

#include "server/config/job_builder.h"

#include <re2/re2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/quoting.h"
#include "server/config/limits.h"
#include "server/config/system_names.h"
#include "server/config/value_check.h"
#include "server/run/parameter_check.h"

namespace jobtail::config {
namespace {

constexpr int kMaxParameters = 1000;
constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

jobtail::v1::Parameter ToProto(const v1::Parameter& config) {
  jobtail::v1::Parameter parameter;
  parameter.set_name(config.name());
  // The enumerations agree in their values.
  parameter.set_type(config.type() == v1::Parameter::TYPE_UNSPECIFIED
                         ? jobtail::v1::PARAMETER_TYPE_STRING
                         : static_cast<jobtail::v1::ParameterType>(config.type()));
  parameter.set_help(config.help());
  parameter.set_required(!config.has_default_());
  parameter.set_default_value(config.default_());
  *parameter.mutable_values() = config.values();
  parameter.set_minimum(config.minimum());
  parameter.set_maximum(config.maximum());
  parameter.set_pattern(config.pattern());
  parameter.set_secret(config.secret());
  return parameter;
}

// Whether the whole of it is the path of a program.
bool IsProgram(const std::string& path) {
  struct stat status {};
  return path.starts_with('/') && stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

std::string FromServer(const char* name, const std::string& otherwise) {
  const char* const value = getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return value ? value : otherwise;
}

Template Literal(const std::string& text) {
  return *Template::Parse(absl::StrReplaceAll(text, {{"{", "{{"}, {"}", "}}"}}));
}

bool IsVariableName(const std::string& name) {
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name.front())) &&
         std::ranges::all_of(name,
                             [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

}  // namespace

std::optional<Job> JobBuilder::Build(process::ProcessPool* pool) {
  if (!CheckParameterCount()) return std::nullopt;
  CheckParameterNames();
  CommandTemplate command = MakeCommand();
  CheckAllUsed();
  if (failed_) return std::nullopt;
  CheckValues(config_, &command, [this](const char* field, int index, const std::string& message) {
    Error(field, message, index);
  });
  if (failed_) return std::nullopt;
  Job job(config_.name(), std::make_shared<CommandExecutor>(std::move(command), pool));
  job.Help(config_.help());
  for (const v1::Parameter& parameter : config_.parameter()) job.With(ToProto(parameter));
  job.Timeout(ParseDuration("timeout", config_.timeout(), absl::InfiniteDuration()));
  if (config_.on_full() == v1::Job::DROP) job.DropWhenFull();
  if (config_.overwrites() == v1::Job::KEEP) job.KeepOverwritten();
  if (config_.overwrites() == v1::Job::THIN) job.ThinOverwritten();
  for (const auto& [name, value] : config_.labels()) job.Label(name, value);
  SetLimits(&job);
  if (failed_) return std::nullopt;
  if (const absl::Status status = job.Check(); !status.ok()) {
    Error("name", std::string(status.message()));
    return std::nullopt;
  }
  return job;
}

bool JobBuilder::CheckParameterCount() {
  if (config_.parameter_size() <= kMaxParameters) return true;
  Error("name",
        absl::StrCat("job ", Quoted(config_.name()), " has ", config_.parameter_size(),
                     " parameters; at most ", kMaxParameters, " are allowed; pass a file instead"));
  return false;
}

void JobBuilder::CheckParameterNames() {
  std::set<std::string> names;
  for (int i = 0; i < config_.parameter_size(); ++i) {
    const v1::Parameter& parameter = config_.parameter(i);
    const absl::Status status = CheckDeclaration(ToProto(parameter));
    if (!status.ok()) Error("parameter", std::string(status.message()), i);
    if (!names.insert(parameter.name()).second) {
      Error("parameter",
            absl::StrCat("parameter ", parameter.name(), " is declared twice; leave one out"), i);
    }
  }
}

// What is declared and not used is misspelt somewhere.
void JobBuilder::CheckAllUsed() {
  for (int i = 0; i < config_.parameter_size(); ++i) {
    const std::string& name = config_.parameter(i).name();
    if (used_.contains(name)) continue;
    Error("parameter",
          absl::StrCat("parameter ", Quoted(name), " is not used; write \"{", name,
                       "}\" in an argument, a variable of the environment or stdin"),
          i);
  }
}

CommandTemplate JobBuilder::MakeCommand() {
  CommandTemplate command;
  SetProgram(&command);
  SetProcess(&command.command);
  SetCommandLimits(&command.command);
  SetOutput(&command.command);
  SetEnvironment(&command);
  command.input = ParseTemplate("stdin", -1, config_.stdin(), /*visible=*/false);
  return command;
}

void JobBuilder::SetProgram(CommandTemplate* command) {
  const std::string& program = config_.command();
  if (program.empty()) {
    Error("command", absl::StrCat("job ", Quoted(config_.name()),
                                  " has no command; give a program, such as command: "
                                  "\"/usr/bin/rsync\""));
  } else if (program.find('\0') != std::string::npos) {
    Error("command", "has a NUL byte; leave it out");
  } else if (absl::StrContains(program, ' ') && !IsProgram(program)) {
    Error("command", absl::StrCat(Quoted(program),
                                  " has a space, and there is no shell to take it apart; give each "
                                  "argument as an `argument` of its own. (A program whose path "
                                  "has a space must be there when the config is read)"));
  }
  command->command.arguments = {program};
  for (int i = 0; i < config_.argument_size(); ++i) {
    command->arguments.push_back(
        ParseTemplate("argument", i, config_.argument(i), /*visible=*/true));
  }
}

void JobBuilder::SetEnvironment(CommandTemplate* command) {
  const auto add = [&](const std::string& name, const std::string& value) {
    command->environment.emplace_back(name, Literal(value));
  };
  add("PATH", FromServer("PATH", kDefaultPath));
  add("LANG", FromServer("LANG", "C.UTF-8"));
  if (getenv("TZ")) add("TZ", FromServer("TZ", ""));  // NOLINT(concurrency-mt-unsafe)
  const process::User user = command->command.user.value_or(process::ProcessUser());
  add("HOME", user.home);
  add("USER", user.name);
  add("LOGNAME", user.name);
  add("SHELL", user.shell);
  if (config_.tty()) add("TERM", "xterm-256color");
  if (config_.line_buffered()) SetLineBuffered(command);
  for (const std::string& inherited : config_.inherit_environment()) {
    if (getenv(inherited.c_str())) add(inherited, FromServer(inherited.c_str(), ""));  // NOLINT
  }
  for (int i = 0; i < config_.environment_size(); ++i) {
    const v1::Variable& variable = config_.environment(i);
    if (!IsVariableName(variable.name())) {
      Error("environment",
            absl::StrCat("variable ", Quoted(variable.name()),
                         ": a name is letters, digits and \"_\", and begins with no digit"),
            i);
    }
    std::erase_if(command->environment,
                  [&](const auto& earlier) { return earlier.first == variable.name(); });
    command->environment.emplace_back(
        variable.name(), ParseTemplate("value", -1, variable.value(), /*visible=*/false,
                                       Nested("environment", i), *v1::Variable::descriptor()));
  }
}

void JobBuilder::SetLineBuffered(CommandTemplate* command) {
  const std::optional<std::string> library = FindLineBufferLibrary();
  if (!library) {
    Error("line_buffered",
          "needs stdbuf's library, which is not on this system; install coreutils, or use tty");
    return;
  }
  command->environment.emplace_back("LD_PRELOAD", Literal(*library));
  command->environment.emplace_back("_STDBUF_O", Literal("L"));
  command->environment.emplace_back("PYTHONUNBUFFERED", Literal("1"));
}

void JobBuilder::SetProcess(process::Command* command) {
  if (!config_.directory().empty()) command->directory = config_.directory();
  if (command->directory.front() != '/' || command->directory.find('\0') != std::string::npos) {
    Error("directory", absl::StrCat(Quoted(command->directory),
                                    ": give an absolute path, such as \"/var/backups\""));
  }
  command->user = defaults_.user;
  if (!config_.user().empty()) {
    absl::StatusOr<process::User> user = LookUpUser(config_.user());
    if (!user.ok()) Error("user", std::string(user.status().message()));
    command->user = user.ok() ? std::optional(*std::move(user)) : std::nullopt;
  }
  command->grace = ParseDuration("grace", config_.grace(), command->grace);
  command->drain = ParseDuration("drain", config_.drain(), command->drain);
  const std::string name = config_.stop_signal().empty() ? "SIGTERM" : config_.stop_signal();
  const std::optional<int> signal = ParseSignal(name);
  if (!signal) {
    Error("stop_signal", absl::StrCat(Quoted(name),
                                      ": no such signal; give one such as \"SIGTERM\", "
                                      "\"SIGINT\" or \"SIGHUP\""));
  }
  command->stop_signal = signal.value_or(command->stop_signal);
  command->outlives_server = config_.outlives_server();
  if (config_.has_nice()) {
    command->nice = config_.nice();
    if (config_.nice() < -20 || config_.nice() > 19) {
      Error("nice",
            absl::StrCat(config_.nice(), ": give -20 (most of the processor) to 19 (least)"));
    }
  }
  if (config_.io_priority().empty()) return;
  command->io_priority = ParseIoPriority(config_.io_priority());
  if (!command->io_priority) {
    Error("io_priority",
          absl::StrCat(Quoted(config_.io_priority()),
                       ": give \"idle\", or \"best-effort:N\" or \"realtime:N\" with "
                       "N from 0 to 7"));
  }
}

void JobBuilder::SetCommandLimits(process::Command* command) {
  command->new_privileges = config_.new_privileges();
  command->limits = ParseLimits(config_.limits(), defaults_.limits,
                                [this](const std::string& message) { Error("limits", message); });
}

void JobBuilder::SetOutput(process::Command* command) {
  command->helps_exact_order = config_.order() != v1::Job::EXACT_WITHOUT_LIBRARY;
  const bool exact = config_.order() == v1::Job::EXACT || !command->helps_exact_order;
  if (exact && config_.tty()) {
    Error("order", "a terminal has one stream, which is in order; leave out tty or order: EXACT");
  }
  if (exact) command->output = process::OutputMode::kExact;
  if (config_.tty()) command->output = process::OutputMode::kTerminal;
}

void JobBuilder::SetLimits(Job* job) {
  const v1::Concurrency& concurrency = config_.concurrency();
  if (concurrency.limit() < 0 || concurrency.queue() < 0 ||
      (concurrency.queue() > 0 && concurrency.limit() == 0)) {
    Error("concurrency",
          "give a limit of 1 or more, and a queue of 0 or more; leave both out for no limit");
  }
  if (concurrency.limit() > 0) job->MaxRunning(concurrency.limit());
  if (concurrency.queue() > 0) job->MaxQueued(concurrency.queue());
  SetKeep(job);
  for (int i = 0; i < config_.mask_size(); ++i) {
    const RE2 pattern(config_.mask(i), RE2::Quiet);
    if (pattern.ok()) {
      job->Mask(config_.mask(i));
    } else {
      Error("mask",
            absl::StrCat(Quoted(config_.mask(i)), ": ", pattern.error(), "; give an RE2 pattern"),
            i);
    }
  }
}

void JobBuilder::SetKeep(Job* job) {
  const v1::Keep& keep = config_.keep();
  if (keep.runs() < 0 || keep.run_bytes() < 0) {
    Error("keep", "give numbers of 1 or more, or leave them out to keep all");
  }
  if (keep.runs() > 0) job->KeepRuns(keep.runs());
  if (keep.run_bytes() > 0) job->KeepRunBytes(keep.run_bytes());
  if (keep.age().empty()) return;
  absl::Duration age;
  if (absl::ParseDuration(keep.age(), &age) && age > absl::ZeroDuration()) {
    job->KeepAge(age);
  } else {
    Error("keep", absl::StrCat("age ", Quoted(keep.age()),
                               ": give a duration with its unit, such as \"24h\""));
  }
}

Template JobBuilder::ParseTemplate(const char* field, int index, const std::string& text,
                                   bool visible, Diagnostics::Tree* tree,
                                   const google::protobuf::Descriptor& type) {
  const auto error = [&](const std::string& message) {
    ErrorIn(tree, type, field, message, index);
  };
  absl::StatusOr<Template> parsed = Template::Parse(text);
  if (!parsed.ok()) {
    error(std::string(parsed.status().message()));
    return {};
  }
  if (text.find('\0') != std::string::npos) error("has a NUL byte; leave it out");
  for (const std::string& name : parsed->Names()) {
    used_.insert(name);
    const auto declared = std::ranges::find(config_.parameter(), name, &v1::Parameter::name);
    if (declared == config_.parameter().end()) {
      error(absl::StrCat("no parameter ", name, " is declared; add parameter { name: \"", name,
                         "\" }, or write \"{{\" for a brace"));
    } else if (visible && declared->secret()) {
      error(absl::StrCat("parameter ", name,
                         " is secret, and everybody sees a program's arguments; pass it by a "
                         "variable of the environment or on stdin"));
    }
  }
  return *std::move(parsed);
}

absl::Duration JobBuilder::ParseDuration(const char* field, const std::string& text,
                                         absl::Duration otherwise) {
  if (text.empty()) return otherwise;
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration() &&
      duration < absl::InfiniteDuration()) {
    return duration;
  }
  Error(field, absl::StrCat(Quoted(text),
                            ": give a duration with its unit, such as \"30s\" or "
                            "\"1h30m\""));
  return otherwise;
}

Diagnostics::Tree* JobBuilder::Nested(const char* field, int index) const {
  return tree_ ? tree_->GetTreeForNested(v1::Job::descriptor()->FindFieldByName(field), index)
               : nullptr;
}

void JobBuilder::Error(const char* field, const std::string& message, int index) {
  ErrorIn(tree_, *v1::Job::descriptor(), field, message, index);
}

// A list in brackets has the place of its first element alone. Where the field is not in the file,
// the job is.
void JobBuilder::ErrorIn(Diagnostics::Tree* tree, const google::protobuf::Descriptor& type,
                         const char* field, const std::string& message, int index) {
  failed_ = true;
  Diagnostics::Location location;
  for (const int at : {index, 0}) {
    if (!tree || location.line >= 0 || (at == 0 && index < 0)) continue;
    location = tree->GetLocation(type.FindFieldByName(field), at);
  }
  diagnostics_->Add(location.line < 0 ? place_ : location, message);
}

}  // namespace jobtail::config
