// Code, variables and options that come from parameters.

#include "server/config/value_check.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/config/command_line.h"
#include "server/config/variable_names.h"

namespace jobtail::config {
namespace {

class ValueCheck {
 public:
  ValueCheck(const v1::Job& config, CommandTemplate* command, const ReportFunction& report)
      : config_(config),
        command_(*command),
        report_(report),
        line_(config.command(), command->arguments) {}

  void Check() {
    CheckCode();
    CheckVariables();
    CheckOptions();
  }

 private:
  const v1::Parameter* Declared(const std::string& name) const {
    const auto found = std::ranges::find(config_.parameter(), name, &v1::Parameter::name);
    return found == config_.parameter().end() ? nullptr : &*found;
  }

  void CheckCode() {
    const std::optional<Misuse> misuse = line_.Find(command_.input);
    if (!misuse) return;
    const bool is_stdin = misuse->argument == Misuse::kStdin;
    report_(is_stdin ? "stdin" : "argument", is_stdin ? -1 : misuse->argument, misuse->message);
  }

  void CheckVariables() {
    for (int i = 0; i < config_.environment_size(); ++i) {
      const auto value = Template::Parse(config_.environment(i).value());
      if (!value.ok()) continue;
      CheckVariable("environment", i, config_.environment(i).name(), *value);
      if (line_.expands_environment()) CheckExpanded("environment", i, *value);
    }
    for (const CommandLine::Variable& variable : line_.variables()) {
      const Template& value = command_.arguments[variable.argument];
      const auto index = static_cast<int>(variable.argument);
      if (variable.expands) CheckExpanded("argument", index, value);
      CheckVariable("argument", index, variable.name, value);
    }
  }

  void CheckVariable(const char* field, int index, const std::string& name, const Template& value) {
    const VariableUse use = UseOf(name);
    if (use == VariableUse::kOwn) return;
    for (const std::string& parameter : value.Names()) {
      const v1::Parameter* const declared = Declared(parameter);
      if (!declared || declared->type() == v1::Parameter::ENUM) continue;
      if (use == VariableUse::kSystem) {
        report_(field, index,
                absl::StrCat("programs obey the variable ", name, ", so the value of parameter ",
                             parameter,
                             " would be as good as code; give it by another variable or "
                             "as an argument, or let it be an ENUM"));
      } else if (MayBeAnything(*declared)) {
        report_(field, index,
                absl::StrCat("the variable ", name,
                             " looks as if it said where something is found "
                             "or what is run; give parameter ",
                             parameter,
                             " a pattern of what it "
                             "may be, or the variable another name"));
      }
    }
  }

  void CheckExpanded(const char* field, int index, const Template& value) {
    for (const std::string& parameter : value.Names()) {
      const v1::Parameter* const declared = Declared(parameter);
      if (!declared || !MayBeAnything(*declared)) continue;
      report_(field, index,
              absl::StrCat("the program would run what the value of parameter ", parameter,
                           " has in it, such as $(shell ...); give the parameter a pattern of what "
                           "it may be, such as \"[a-z0-9.]+\""));
    }
  }

  static bool MayBeAnything(const v1::Parameter& parameter) {
    switch (parameter.type()) {
      case v1::Parameter::TYPE_UNSPECIFIED:
      case v1::Parameter::STRING:
      case v1::Parameter::PATH:
        return parameter.pattern().empty();
      default:
        return false;
    }
  }

  // What has chosen values, or says how small it may be, is meant.
  static bool MayBeginWithDash(const v1::Parameter& parameter) {
    return parameter.allow_dash() || parameter.type() == v1::Parameter::ENUM ||
           !parameter.minimum().empty();
  }

  void CheckOptions() {
    for (const v1::Parameter& parameter : config_.parameter()) {
      if (MayBeginWithDash(parameter)) command_.may_begin_with_dash.insert(parameter.name());
    }
    for (size_t i = 0; i < command_.arguments.size(); ++i) {
      if (!line_.TakesOption(i)) continue;
      command_.guarded.insert(i);
      const std::string first = command_.arguments[i].Names().front();
      const v1::Parameter* const declared = Declared(first);
      if (!declared || MayBeginWithDash(*declared)) continue;
      if (!command_.arguments[i].BeginsWithValue()) {
        report_("argument", static_cast<int>(i),
                absl::StrCat("the value of parameter ", first,
                             " would say which option the program gets; make it an ENUM, or say "
                             "allow_dash: true at the parameter"));
        continue;
      }
      if (!absl::StartsWith(declared->default_(), "-")) continue;
      report_("argument", static_cast<int>(i),
              absl::StrCat("the program would take ", Quoted(declared->default_()),
                           ", the default of parameter ", first,
                           ", for an option; write \"--\" as an argument before it, if the program "
                           "knows that, or allow_dash: true at the parameter"));
    }
  }

  const v1::Job& config_;
  CommandTemplate& command_;
  const ReportFunction& report_;
  const CommandLine line_;
};

}  // namespace

void CheckValues(const v1::Job& config, CommandTemplate* command, const ReportFunction& report) {
  ValueCheck(config, command, report).Check();
}

}  // namespace jobtail::config
