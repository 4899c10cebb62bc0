// Walking along a command line as the programs in it do.

#include "server/config/command_line.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace jobtail::config {

// How a program reads its arguments.
struct CommandLine::Program {
  enum Kind {
    kShell,        // the first operand is a script, or with -c code; what follows is data
    kInterpreter,  // the same, but code is the value of an option
    kCode,         // as an interpreter, but without an option for it the first operand is code
    kLauncher,     // after its own operands there is a program with its arguments
    kRemote,       // the same, but a shell gets the arguments, joined
    kData,         // neither, but it may have options of code
  };
  std::string_view names = {};  // separated by blanks
  Kind kind = kInterpreter;
  std::string_view code = {};    // letters of options whose value is code
  std::string_view values = {};  // letters of options with another value, perhaps of what is loaded
  std::string_view words = {};   // long options whose value is code: "eval print"
  std::string_view valued = {};  // long options with another value
  int operands = 0;              // of a launcher, before the program
  bool goes_on = false;          // more options may follow the code
  std::string_view data = {};  // letters and long options among those with a value: it is but data
};

// What an argument says as an option.
struct CommandLine::Option {
  bool code = false;      // of code, which is the next argument
  bool attached = false;  // of code, which is in it
  bool value = false;     // the next argument is its value
  bool data = false;      // which may be anything
};

namespace {

// "python3.11" is "python", and "/bin/bash-static" "bash".
std::string BaseName(std::string_view program) {
  std::string name(program.substr(program.rfind('/') + 1));
  if (name.ends_with("-static")) name.resize(name.size() - 7);
  const size_t end = name.find_last_not_of("0123456789.-");
  return end == std::string::npos ? name : name.substr(0, end + 1);
}

// `list` has blanks between its words.
bool Has(std::string_view list, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  for (size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return true;
  }
  return false;
}

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
constexpr char kProgramMessage[] =
    "would say which program is run; name the program, and give the value as its argument";

}  // namespace

const CommandLine::Program* CommandLine::Lookup(const std::string& name) {
  using P = Program;
  static constexpr P kPrograms[] = {
      {"sh bash dash ash zsh ksh mksh lksh pdksh yash posh rbash fish csh tcsh", P::kShell, "c",
       "oO", "command init-command", "rcfile init-file"},
      {"python pypy jython ipython", P::kInterpreter, "c", "WXQ", "", "check-hash-based-pycs"},
      {"perl", P::kInterpreter, "eE", "IMmx", "", "", 0, true},
      {"ruby jruby", P::kInterpreter, "e", "IrEC", "", "", 0, true},
      {"node nodejs bun", P::kInterpreter, "ep", "rC", "eval print", "require import", 0, true},
      {"deno", P::kCode, "", "", "", ""},
      {"php", P::kInterpreter, "rBREF", "dczf", "run process-begin process-code process-end", "", 0,
       true},
      {"lua luajit", P::kInterpreter, "e", "l", "", "", 0, true},
      {"tclsh wish expect", P::kInterpreter, "c", "f", "", "", 0, true},
      {"Rscript R", P::kInterpreter, "e", "", "", "", 0, true},
      {"julia", P::kInterpreter, "eE", "LpJ", "eval print", "load", 0, true},
      {"guile", P::kInterpreter, "c", "lLx", "", ""},
      {"groovy scala elixir erl ocaml", P::kInterpreter, "er", "", "eval", "", 0, true},
      {"pwsh", P::kInterpreter, "c", "", "command", ""},
      {"awk gawk mawk nawk original-awk", P::kCode, "efE", "vFilL", "source file exec",
       "assign field-separator include", 0, true, "v F assign field-separator"},
      {"sed gsed", P::kCode, "ef", "l", "expression file", "line-length", 0, true, "l line-length"},
      {"env", P::kLauncher, "S", "uC", "split-string", "unset chdir"},
      {"sudo", P::kLauncher, "", "ugpCrtTUDRh", "",
       "user group host prompt close-from chdir chroot role type other-user command-timeout"},
      {"doas", P::kLauncher, "", "uC"},
      {"su", P::kLauncher, "c", "sgGw", "command session-command", "shell group supp-group", 1},
      {"runuser", P::kLauncher, "c", "usgGw", "command session-command",
       "user shell group supp-group"},
      {"nice", P::kLauncher, "", "n", "", "adjustment"},
      {"ionice", P::kLauncher, "", "cnpPu", "", "class classdata pid"},
      {"chrt", P::kLauncher, "", "TPD", "", "", 1},
      {"taskset", P::kLauncher, "", "", "", "", 1},
      {"timeout", P::kLauncher, "", "sk", "", "signal kill-after", 1},
      {"nohup setsid catchsegv eatmydata fakeroot dbus-run-session busybox toybox unbuffer exec "
       "command torsocks proxychains ltrace valgrind xvfb-run",
       P::kLauncher},
      {"stdbuf", P::kLauncher, "", "ioe", "", "input output error"},
      {"xargs", P::kLauncher, "", "InPLsdaE", "",
       "arg-file delimiter max-args max-chars max-lines max-procs replace"},
      {"time", P::kLauncher, "", "fo", "", "format output"},
      {"chroot faketime", P::kLauncher, "", "", "", "", 1},
      {"flock", P::kLauncher, "c", "wE", "command", "wait timeout conflict-exit-code", 1},
      {"unshare", P::kLauncher, "", "SGRw", "", "root wd setuid setgid"},
      {"nsenter", P::kLauncher, "", "tSG", "", "target setuid setgid"},
      {"setpriv", P::kLauncher, "", "", "",
       "reuid regid groups inh-caps ambient-caps bounding-set securebits"},
      {"systemd-run", P::kLauncher, "", "puMHEd", "",
       "property unit machine host setenv uid gid working-directory slice description nice"},
      {"systemd-inhibit", P::kLauncher, "", "", "", "what who why mode"},
      {"strace", P::kLauncher, "", "oepsuEaISPXbU"},
      {"script", P::kRemote, "c", "EIOBTmo", "command", "", 1},
      {"watch", P::kRemote, "", "n", "", "interval"},
      {"parallel", P::kRemote, "", "jSaIN"},
      {"ssh", P::kRemote, "oF", "BbcDEeIiJLlmOpQRSWw", "", "", 1},
      {"scp sftp", P::kData, "oFS"},
      {"rsync", P::kData, "e", "", "rsh rsync-path"},
      {"tar", P::kData, "IF", "",
       "use-compress-program checkpoint-action to-command rsh-command "
       "info-script new-volume-script"},
      {"git", P::kData, "c", "", "config-env upload-pack receive-pack exec exec-path"},
      {"make", P::kData, "f", "", "eval file makefile"},
      {"curl", P::kData, "K", "", "config"},
      {"grep egrep fgrep zgrep rg ack gcc g++ cc c++ clang clang++ ping head tail wc cut sort "
       "md5sum sha256sum",
       P::kData},
  };
  for (const Program& program : kPrograms) {
    if (Has(program.names, name)) return &program;
  }
  return nullptr;
}

CommandLine::CommandLine(const std::string& program, const std::vector<Template>& arguments)
    : arguments_(arguments), options_end_(arguments.size()) {
  Walk(program, 0);
  FindHidden();
}

void CommandLine::Report(size_t at, const char* what) {
  if (found_) return;
  found_ = {static_cast<int>(at),
            absl::StrCat("the value of parameter ", arguments_[at].Names().front(), " ", what)};
}

// `at` is that of the program's first argument.
void CommandLine::Walk(const std::string& program, size_t at) {
  const std::string name = BaseName(program);
  heeds_dashes_ = !Has("find test expr [", name);
  const Program* const known = Lookup(name);
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
  if (text.starts_with("--")) {
    const std::string name = text.substr(2, text.find('=') - 2);
    const bool has_value = text.find('=') != std::string::npos;
    const bool is_code = Has(program.words, name);
    option.code = is_code && !has_value;
    option.attached = is_code && has_value;
    option.value = !has_value && Has(program.valued, name);
    option.data = Has(program.data, name);
    return option;
  }
  for (size_t i = 1; i < text.size(); ++i) {
    const bool last = i + 1 == text.size();
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
      awaits_code = false;
      has_code = true;
      if (!program.goes_on) return;
    } else if (!has_code) {  // a script, and the rest is its own
      if (!IsLiteral(i)) return Report(i, kCodeMessage);
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
      for (size_t j = i; j < arguments_.size(); ++j) {
        if (!IsLiteral(j)) return Report(j, kCodeMessage);
      }
      return;
    }
    if (!IsLiteral(i)) return Report(i, kProgramMessage);
    return Walk(text, i + 1);
  }
}

void CommandLine::WalkData(const Program& program, size_t at) {
  bool awaits_code = false;
  for (size_t i = at; i < arguments_.size(); ++i) {
    const std::string text = Text(i);
    if (awaits_code && !IsLiteral(i)) return Report(i, kCodeMessage);
    awaits_code = false;
    if (IsLiteral(i) && text == "--") {
      if (heeds_dashes_) options_end_ = std::min(options_end_, i);
      return;
    }
    if (!IsOption(text) || arguments_[i].BeginsWithValue()) continue;
    const Option option = Parse(program, text);
    if ((option.attached || option.code) && !IsLiteral(i)) return Report(i, kCodeMessage);
    awaits_code = option.code;
  }
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

// Interpreters and programs that some program starts which is not known to do so: `find -exec`,
// `docker exec`.
void CommandLine::FindHidden() {
  for (size_t i = 0; i + 1 < arguments_.size(); ++i) {
    if (!IsLiteral(i)) continue;
    const std::string text = Text(i);
    if (Has("-exec -execdir -ok -okdir", text) && !IsLiteral(i + 1)) {
      return Report(i + 1, kProgramMessage);
    }
    const Program* const known = Lookup(BaseName(text));
    if (!known || (known->kind != Program::kShell && known->kind != Program::kInterpreter)) {
      continue;
    }
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
  return arguments_[argument].BeginsWithValue() && argument < options_end_;
}

}  // namespace jobtail::config
