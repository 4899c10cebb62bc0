// The executor of commands from the config file: a template, filled in for each run.
#ifndef JOBTAIL_SERVER_CONFIG_COMMAND_EXECUTOR_H_
#define JOBTAIL_SERVER_CONFIG_COMMAND_EXECUTOR_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/config/template.h"
#include "server/process/command.h"
#include "server/process/process_pool.h"
#include "server/run/executor.h"

namespace jobtail::config {

// A command that lacks its parameters' values.
struct CommandTemplate {
  process::Command command;  // without arguments, environment and input
  std::vector<Template> arguments;
  std::vector<std::pair<std::string, Template>> environment;
  Template input;
  // The arguments that begin with a value which the program would take for an option if that began
  // with "-", and the parameters whose values may, all the same.
  std::set<size_t> guarded;
  std::set<std::string> may_begin_with_dash;
};

// Executes a command with a run's parameters in their places.
class CommandExecutor : public Executor {
 public:
  // The pool outlives the runs.
  CommandExecutor(CommandTemplate command, process::ProcessPool* pool)
      : command_(std::move(command)), pool_(pool) {}

  // No program can be given an argument or a variable with a NUL byte; nor is one given an option
  // that its job does not have.
  absl::Status CheckParameters(const ParameterValues& parameters) const override;
  absl::Status Start(std::shared_ptr<Execution> run) const override;

 private:
  const CommandTemplate command_;
  process::ProcessPool* const pool_;
};

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_COMMAND_EXECUTOR_H_
