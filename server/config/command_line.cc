// Walking along a command line as the programs in it do.

#include "server/config/command_line.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "re2/re2.h"

namespace jobtail::config {

// What an argument says as an option.
struct CommandLine::Option {
  bool code = false;      // of code, which is the next argument
  bool attached = false;  // of code, which is in it
  bool value = false;     // the next argument is its value
  bool data = false;      // which may be anything
  bool expands = false;   // in the value, which is attached or the next argument
};

namespace {

bool IsOption(std::string_view text) { return text.size() > 1 && text.front() == '-'; }

// "NAME=value".
std::string_view AssignedName(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return "";
  const std::string_view name = text.substr(0, equals);
  const bool is_name =
      std::ranges::all_of(name, [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
  return is_name ? name : "";
}

// What programming languages and shells are made of, and arguments hardly are.
bool LooksLikeCode(const std::string& text) {
  return text.find_first_of(" \t\n;|&$`()'\"<>") != std::string::npos;
}

constexpr char kCodeMessage[] =
    "would be run as code; write the script without it, such as with \"$1\", and give the value as "
    "an argument of its own after the script";
constexpr char kEvaluatedMessage[] =
    "would be run as code, since the script before it evaluates its arguments; let it use them as "
    "they are, such as \"$1\"";
constexpr char kProgramMessage[] =
    "would say which program is run; name the program, and give the value as its argument";

// Whether a shell's script has its arguments run as code: `eval "ls $1"`, `x=$1; eval "$x"`, `.
// "$1"`, `sh -c "$*"`, `ssh host "ls $1"`. What is printed by a command may be evaluated: `eval
// "$(x)"`.
bool EvaluatesArguments(const std::string& script) {
  static const RE2& eval = *new RE2(R"re((?:^|[\s;&|({`!])eval\s+("?\$\(|`|"`)?)re");
  static const RE2& others =
      *new RE2(R"re((?:^|[;&|({`!\n]|then|do|else)\s*(?:\.|source)\s+"?\$\{?[0-9@*]|)re"
               R"re(\b(?:(?:ba|da|a|z|k|fi)?sh|su|runuser|sg|python[0-9.]*|perl|ruby|node|php)\b)re"
               R"re([^;&|\n]*\s-[a-z]*[cer]\s+(?:"[^"]*)?\$\{?[0-9@*]|)re"
               R"re(\bssh\s[^;&|\n]*"[^"$]+\$\{?[0-9@*])re");
  re2::StringPiece rest = script;
  for (std::string printed; RE2::FindAndConsume(&rest, eval, &printed);) {
    if (printed.empty()) return true;
  }
  return RE2::PartialMatch(script, others);
}

// Whether a shell's script runs its arguments as a program: `exec "$@"`, `"$1" --all`.
bool RunsArguments(const std::string& script) {
  static const RE2& pattern =
      *new RE2(R"re((?:^|[;&|({`!\n]|\bthen|\bdo|\belse|\bexec|\bcommand)\s*"?\$\{?[1@*])re");
  return RE2::PartialMatch(script, pattern);
}

}  // namespace

CommandLine::CommandLine(const std::string& program, const std::vector<Template>& arguments)
    : arguments_(arguments), options_end_(arguments.size()) {
  Walk(program, 0);
  FindHidden(BaseName(program));
}

void CommandLine::Report(size_t at, const char* what) {
  if (found_) return;
  found_ = {static_cast<int>(at),
            absl::StrCat("the value of parameter ", arguments_[at].Names().front(), " ", what)};
}

// Of the arguments from `at` on, the first with a value.
void CommandLine::ReportFirst(size_t at, const char* what) {
  for (size_t i = at; i < arguments_.size(); ++i) {
    if (!IsLiteral(i)) return Report(i, what);
  }
}

// `at` is that of the program's first argument.
void CommandLine::Walk(const std::string& program, size_t at) {
  const std::string name = BaseName(program);
  heeds_dashes_ = !Has("find test expr [", name);
  const Program* const known = FindProgram(name);
  if (!known) return WalkUnknown(at);
  switch (known->kind) {
    case Program::kShell:
    case Program::kInterpreter:
    case Program::kCode:
      return WalkInterpreter(*known, at);
    case Program::kLauncher:
    case Program::kRemote:
      return WalkLauncher(*known, at);
    case Program::kData:
      return WalkData(*known, at);
  }
}

// Letters may share a "-"; what follows one that has a value is that value.
CommandLine::Option CommandLine::Parse(const Program& program, const std::string& text) const {
  Option option;
  const bool has_dashes = text.starts_with("--");
  const size_t begin = has_dashes ? 2 : 1;
  const std::string name = text.substr(begin, text.find('=') - begin);
  if (has_dashes || Has(program.long_options, name) ||
      Has(program.valued, name)) {  // as gdb's "-ex"
    const bool has_value = text.find('=') != std::string::npos;
    const bool is_code = Has(program.long_options, name);
    option.code = is_code && !has_value;
    option.attached = is_code && has_value;
    option.value = !has_value && Has(program.valued, name);
    option.data = Has(program.data, name);
    option.expands = Has(program.expanded, name);
    return option;
  }
  for (size_t i = 1; i < text.size(); ++i) {
    const bool last = i + 1 == text.size();
    option.expands = Has(program.expanded, std::string_view(text).substr(i, 1));
    if (option.expands) break;
    if (program.code.find(text[i]) != std::string_view::npos) {
      // A shell's -c is followed by other letters, and by other options; its code is an operand.
      option.code = last || program.kind == Program::kShell;
      option.attached = !option.code;
      if (option.attached) break;
    } else if (program.values.find(text[i]) != std::string_view::npos) {
      option.value = last || program.kind == Program::kShell;
      option.data = Has(program.data, std::string_view(text).substr(i, 1));
      if (program.kind != Program::kShell) break;
    }
  }
  return option;
}

// Up to the end of the script nothing may be a value; behind it all is the script's own.
void CommandLine::WalkInterpreter(const Program& program, size_t at) {
  const bool is_shell = program.kind == Program::kShell;
  bool awaits_code = false;
  bool has_code = false;
  bool ended = false;
  for (size_t i = at; i < arguments_.size(); ++i) {
    const std::string text = Text(i);
    const bool dashed =
        !arguments_[i].BeginsWithValue() && (IsOption(text) || (is_shell && text.starts_with('+')));
    const bool is_option = dashed && !ended && (is_shell || !awaits_code);
    if (is_option && text == "--" && IsLiteral(i)) {
      ended = true;
    } else if (is_option) {
      const Option option = Parse(program, text);
      const bool is_data = option.data || (has_code && text.starts_with("--") && !option.attached);
      if (!IsLiteral(i) && !is_data) return Report(i, kCodeMessage);
      awaits_code = awaits_code || option.code;
      has_code = has_code || option.attached;
      if (is_shell && !text.starts_with("--"))
        code_on_stdin_ |= text.find('s') != std::string::npos;
      if (!option.value || !IsLiteral(i) || i + 1 == arguments_.size()) continue;
      ++i;
      if (!IsLiteral(i) && !option.data) return Report(i, kCodeMessage);
    } else if (awaits_code || (program.kind == Program::kCode && !has_code)) {
      if (!IsLiteral(i)) return Report(i, kCodeMessage);
      if (!awaits_code && Has(program.through, text)) continue;
      awaits_code = false;
      has_code = true;
      if (is_shell && EvaluatesArguments(text)) {
        expands_environment_ = true;
        return ReportFirst(i + 1, kEvaluatedMessage);
      }
      if (is_shell && RunsArguments(text) && i + 2 < arguments_.size()) {  // behind $0
        if (!IsLiteral(i + 2)) return Report(i + 2, kProgramMessage);
        return Walk(Text(i + 2), i + 3);
      }
      if (!program.goes_on) return;
    } else if (!has_code) {  // a script, and the rest is its own
      if (!IsLiteral(i)) return Report(i, kCodeMessage);
      if (Has(program.through, text)) continue;
      if (text == "-" || text == "/dev/stdin") code_on_stdin_ = true;
      return;
    } else if (program.kind != Program::kCode) {
      return;
    }
  }
  if (!has_code) code_on_stdin_ = true;
}

// Its own options and operands, then a program.
void CommandLine::WalkLauncher(const Program& program, size_t at) {
  int operands = program.operands;
  const bool is_remote = program.kind == Program::kRemote;
  bool awaits_code = false;
  bool has_code = false;
  for (size_t i = at; i < arguments_.size(); ++i) {
    const std::string text = Text(i);
    const bool starts_with_text = !arguments_[i].BeginsWithValue();
    if (awaits_code) {
      awaits_code = false;
      if (!IsLiteral(i)) return Report(i, kCodeMessage);
      continue;
    }
    if ((text == "--" || text == "-") && IsLiteral(i)) continue;
    if (starts_with_text && IsOption(text)) {
      const Option option = Parse(program, text);
      if ((option.attached || option.code) && !IsLiteral(i)) return Report(i, kCodeMessage);
      awaits_code = option.code;
      has_code |= option.attached || option.code;
      if (option.data) operands = 0;
      if (option.value && IsLiteral(i) && i + 1 < arguments_.size()) ++i;
      continue;
    }
    if (starts_with_text && operands == 0 && !AssignedName(text).empty()) {
      if (!IsLiteral(i)) variables_.push_back({std::string(AssignedName(text)), i});
      continue;
    }
    if (operands > 0) {
      --operands;
      continue;
    }
    if (is_remote) {
      ReportFirst(i, kCodeMessage);
      return WalkInterpreterAt(i);
    }
    if (!IsLiteral(i)) return Report(i, kProgramMessage);
    return Walk(text, i + 1);
  }
  // As a shell, where it is given no program.
  if (!has_code && (program.reads_code || is_remote)) code_on_stdin_ = true;
}

void CommandLine::WalkData(const Program& program, size_t at) {
  bool awaits_code = false;
  bool has_code = false;
  bool awaits_expanded = false;
  bool ended = false;
  expands_environment_ |= Has(program.names, "make");
  for (size_t i = at; i < arguments_.size(); ++i) {
    const std::string text = Text(i);
    if (awaits_code && !IsLiteral(i)) return Report(i, kCodeMessage);
    awaits_code = false;
    if (std::exchange(awaits_expanded, false)) {
      if (!IsLiteral(i)) variables_.push_back({"", i, /*expands=*/true});
      continue;
    }
    if (!ended && IsLiteral(i) && text == "--") {
      if (heeds_dashes_) options_end_ = std::min(options_end_, i);
      ended = true;
      continue;
    }
    if (!IsLiteral(i) && text.starts_with('+') && Has(program.names, "vim")) {
      return Report(i, kCodeMessage);
    }
    if (ended || !IsOption(text) || arguments_[i].BeginsWithValue()) {
      if (!program.expands || IsLiteral(i)) continue;
      variables_.push_back({std::string(AssignedName(text)), i, /*expands=*/true});
      continue;
    }
    const Option option = Parse(program, text);
    if ((option.attached || option.code) && !IsLiteral(i)) return Report(i, kCodeMessage);
    awaits_code = option.code;
    has_code |= option.attached || option.code;
    if (option.expands && !IsLiteral(i)) variables_.push_back({"", i, /*expands=*/true});
    awaits_expanded = option.expands && IsLiteral(i);
  }
  if (program.reads_code && !has_code) code_on_stdin_ = true;
}

// An option that is usually one of code, with something that looks like it.
void CommandLine::WalkUnknown(size_t at) {
  static constexpr Program kUnknown{"", Program::kShell, "ce", "", "eval command execute exec"};
  bool awaits_code = false;
  for (size_t i = at; i < arguments_.size(); ++i) {
    const std::string text = Text(i);
    if (IsLiteral(i) && text == "--") {
      if (heeds_dashes_) options_end_ = std::min(options_end_, i);
      continue;
    }
    if (!IsLiteral(i)) {
      if (awaits_code && LooksLikeCode(text)) return Report(i, kCodeMessage);
      awaits_code = false;
      continue;
    }
    const bool is_word = text.starts_with("--");
    awaits_code = IsOption(text) && (is_word ? Parse(kUnknown, text).code
                                             : text.ends_with('c') || text.ends_with('e'));
  }
}

// Where the program at `at` is an interpreter.
void CommandLine::WalkInterpreterAt(size_t at) {
  const Program* const known = FindProgram(BaseName(Text(at)));
  if (known && (known->kind == Program::kShell || known->kind == Program::kInterpreter)) {
    WalkInterpreter(*known, at + 1);
  }
}

// Interpreters and programs that some program starts which is not known to do so: `find -exec`,
// `docker exec`.
void CommandLine::FindHidden(const std::string& program) {
  const bool starts_programs = Has("docker podman nerdctl kubectl oc lxc machinectl", program);
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (!IsLiteral(i)) continue;
    const std::string text = Text(i);
    if (Has("-exec -execdir -ok -okdir", text) && i + 1 < arguments_.size() && !IsLiteral(i + 1)) {
      return Report(i + 1, kProgramMessage);
    }
    const Program* const known = FindProgram(BaseName(text));
    if (!known || (known->kind != Program::kShell && known->kind != Program::kInterpreter)) {
      continue;
    }
    if (starts_programs) return WalkInterpreterAt(i);
    bool awaits_code = false;
    for (size_t j = i + 1; j < arguments_.size(); ++j) {
      if (awaits_code && !IsLiteral(j)) return Report(j, kCodeMessage);
      const std::string option = Text(j);
      if (!IsOption(option)) break;
      awaits_code = awaits_code || Parse(*known, option).code;
    }
  }
}

std::optional<Misuse> CommandLine::Find(const Template& input) const {
  if (found_) return found_;
  const std::vector<std::string> names = input.Names();
  if (!code_on_stdin_ || names.empty()) return std::nullopt;
  return Misuse{Misuse::kStdin,
                absl::StrCat("the program reads its script there, and the value of parameter ",
                             names.front(), " ", kCodeMessage)};
}

bool CommandLine::TakesOption(size_t argument) const {
  const Template& text = arguments_[argument];
  const bool begins =
      text.BeginsWithValue() ||
      (!text.Names().empty() && text.Beginning().find_first_not_of('-') == std::string::npos);
  return begins && argument < options_end_;
}

}  // namespace jobtail::config
