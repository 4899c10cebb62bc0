// What a program would take a job's arguments for: code, options or the next program.
#ifndef JOBTAIL_SERVER_CONFIG_COMMAND_LINE_H_
#define JOBTAIL_SERVER_CONFIG_COMMAND_LINE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "server/config/programs.h"
#include "server/config/template.h"

namespace jobtail::config {

// Where a value would be more than a value.
struct Misuse {
  static constexpr int kStdin = -1;

  int argument;         // its index, or kStdin
  std::string message;  // what would happen, and what to do
};

// A job's command line as far as it is known before a run: which programs it starts (through `env`,
// `sudo`, `timeout` and the like, too), and what each of them does with the arguments that have
// places for values. It knows the usual shells, interpreters and programs that start others; of one
// that it does not know, it takes "-c", "-e" and their like for what they usually are.
class CommandLine {
 public:
  // Both outlive this.
  CommandLine(const std::string& program, const std::vector<Template>& arguments);

  // A value that would be run as code, or as a program; nothing if there is none. `input` is what
  // the program reads.
  std::optional<Misuse> Find(const Template& input) const;

  // Whether the argument begins with a value that the program would take for an option if it began
  // with "-": nothing before it, such as "--", says that no more of them come.
  bool TakesOption(size_t argument) const;

  // Whether the program runs what it finds in variables of its environment, whatever their names:
  // make, and a script that evaluates something.
  bool expands_environment() const { return expands_environment_; }

  // The variables that are set by arguments, as `env NAME={value}` does: each with its argument.
  struct Variable {
    std::string name;
    size_t argument;
    bool expands = false;  // the program runs what it finds in the value, whatever the name
  };
  const std::vector<Variable>& variables() const { return variables_; }

 private:
  struct Option;

  void Walk(const std::string& program, size_t at);
  void WalkInterpreter(const Program& program, size_t at);
  void WalkLauncher(const Program& program, size_t at);
  void WalkData(const Program& program, size_t at);
  void WalkUnknown(size_t at);
  void WalkInterpreterAt(size_t at);
  void FindHidden(const std::string& program);
  Option Parse(const Program& program, const std::string& text) const;

  bool IsLiteral(size_t at) const { return arguments_[at].Names().empty(); }
  std::string Text(size_t at) const { return arguments_[at].Literal(); }
  void Report(size_t at, const char* what);
  void ReportFirst(size_t at, const char* what);

  const std::vector<Template>& arguments_;
  std::optional<Misuse> found_;
  std::vector<Variable> variables_;
  bool code_on_stdin_ = false;
  bool expands_environment_ = false;
  bool heeds_dashes_ = true;  // whether the program takes no options behind a "--"
  size_t options_end_;        // where that "--" is
};

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_COMMAND_LINE_H_
