// A command with a run's parameters in their places.

#include "server/config/command_executor.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/process/outputs.h"
#include "server/run/parameter_check.h"

namespace jobtail::config {
namespace {

using Values = std::map<std::string, std::string>;

Values Format(const ParameterValues& parameters) {
  Values values;
  for (const auto& [name, value] : parameters) values.emplace(name, FormatValue(value));
  return values;
}

bool Uses(const CommandTemplate& command, const std::string& name) {
  const auto uses = [&](const Template& text) {
    const std::vector<std::string> names = text.Names();
    return std::ranges::find(names, name) != names.end();
  };
  return std::ranges::any_of(command.arguments, uses) ||
         std::ranges::any_of(command.environment,
                             [&](const auto& variable) { return uses(variable.second); });
}

// The parameter whose value the argument begins with.
std::string FirstIn(const Template& argument, const Values& values) {
  for (const std::string& name : argument.Names()) {
    if (!values.at(name).empty()) return name;
  }
  return "";
}

absl::Status CheckOptions(const CommandTemplate& command, const Values& values) {
  for (const size_t i : command.guarded) {
    const Template& argument = command.arguments[i];
    if (!argument.Expand(values).starts_with('-')) continue;
    const std::string name = FirstIn(argument, values);
    if (command.may_begin_with_dash.contains(name)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", name, "=", Quoted(values.contains(name) ? values.at(name) : ""),
                     ": the program would take what begins with \"-\" for an option; give "
                     "another value, such as ./-name for a file"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CommandExecutor::CheckParameters(const ParameterValues& parameters) const {
  for (const auto& [name, value] : Format(parameters)) {
    const size_t nul = value.find('\0');
    if (nul == std::string::npos || !Uses(command_, name)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", name, " has a NUL byte at position ", nul + 1,
                     ", which no program's argument or environment can have; leave it out"));
  }
  return CheckOptions(command_, Format(parameters));
}

absl::Status CommandExecutor::Start(std::shared_ptr<Execution> run) const {
  if (absl::Status room = process::CheckDescriptors(); !room.ok()) return room;
  const Values values = Format(run->parameters());
  process::Command command = command_.command;
  for (const Template& argument : command_.arguments) {
    command.arguments.push_back(argument.Expand(values));
  }
  for (const auto& [name, value] : command_.environment) {
    command.environment.push_back(absl::StrCat(name, "=", value.Expand(values)));
  }
  command.input = command_.input.Expand(values);
  pool_->Start(std::move(command), std::move(run));
  return absl::OkStatus();
}

}  // namespace jobtail::config
