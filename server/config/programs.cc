// The table of programs.
#include "server/config/programs.h"

namespace jobtail::config {
namespace {

using P = Program;

constexpr P kPrograms[] = {
    {"sh bash dash ash zsh ksh mksh lksh pdksh yash posh rbash fish csh tcsh "
     "xonsh nu elvish",
     P::kShell, "c", "oO", "command init-command", "rcfile init-file"},
    {.names = "python pypy jython ipython",
     .code = "c",
     .values = "WXQ",
     .valued = "check-hash-based-pycs",
     .through = "timeit pdb trace profile cProfile runpy"},
    {"perl", P::kInterpreter, "eE", "IMmx", "", "", 0, true},
    {"ruby jruby", P::kInterpreter, "e", "IrEC", "", "", 0, true},
    {"node nodejs bun", P::kInterpreter, "ep", "rC", "eval print", "require import", 0, true},
    {.names = "deno",
     .kind = P::kCode,
     .values = "cL",
     .long_options = "eval",
     .valued = "config import-map",
     .through = "eval run serve test bench compile bundle install task repl"},
    {"php", P::kInterpreter, "rBREF", "dczf", "run process-begin process-code process-end", "", 0,
     true},
    {"lua luajit", P::kInterpreter, "e", "l", "", "", 0, true},
    {"tclsh wish expect", P::kInterpreter, "c", "f", "", "", 0, true},
    {"Rscript R", P::kInterpreter, "e", "", "", "", 0, true},
    {"julia", P::kInterpreter, "eE", "LpJ", "eval print", "load", 0, true},
    {"guile", P::kInterpreter, "c", "lLx", "", ""},
    {"groovy scala elixir erl ocaml", P::kInterpreter, "er", "", "eval", "", 0, true},
    {"pwsh", P::kInterpreter, "c", "", "command Command EncodedCommand File", ""},
    {"crontab", P::kInterpreter, "", "u"},
    {"awk gawk mawk nawk original-awk", P::kCode, "efE", "vFilL", "source file exec",
     "assign field-separator include", 0, true, "v F assign field-separator"},
    {"sed gsed", P::kCode, "ef", "l", "expression file", "line-length", 0, true, "l line-length"},
    {"env", P::kLauncher, "S", "uC", "split-string", "unset chdir"},
    {.names = "sudo",
     .kind = P::kLauncher,
     .values = "ugpCrtTUDRh",
     .valued = "user group host prompt close-from chdir chroot role type other-user "
               "command-timeout",
     .reads_code = true},
    {"doas", P::kLauncher, "", "uC"},
    {.names = "su",
     .kind = P::kLauncher,
     .code = "c",
     .values = "sgGw",
     .long_options = "command session-command",
     .valued = "shell group supp-group",
     .operands = 1,
     .reads_code = true},
    {"runuser", P::kLauncher, "c", "usgGw", "command session-command",
     "user shell group supp-group", 1, false, "u user", false, "", true},
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
    {.names = "chroot", .kind = P::kLauncher, .operands = 1, .reads_code = true},
    {"faketime", P::kLauncher, "", "", "", "", 1},
    {"flock", P::kLauncher, "c", "wE", "command", "wait timeout conflict-exit-code", 1},
    {.names = "unshare",
     .kind = P::kLauncher,
     .values = "SGRw",
     .valued = "root wd setuid setgid",
     .reads_code = true},
    {.names = "nsenter",
     .kind = P::kLauncher,
     .values = "tSG",
     .valued = "target setuid setgid",
     .reads_code = true},
    {"setpriv", P::kLauncher, "", "", "",
     "reuid regid groups inh-caps ambient-caps bounding-set securebits"},
    {"systemd-run", P::kLauncher, "", "puMHEd", "",
     "property unit machine host setenv uid gid working-directory slice description nice"},
    {"systemd-inhibit", P::kLauncher, "", "", "", "what who why mode"},
    {"strace", P::kLauncher, "", "oepsuEaISPXbU"},
    {"script", P::kRemote, "c", "EIOBTmo", "command", "", 1},
    {"watch", P::kRemote, "", "n", "", "interval"},
    {"parallel", P::kRemote, "", "jSaIN"},
    {"ssh autossh", P::kRemote, "oF", "BbcDEeIiJLlmOpQRSWw", "", "", 1},
    {"rsh remsh", P::kRemote, "", "l", "", "", 1},
    {"plink", P::kRemote, "", "PliD", "", "", 1},
    {"mosh", P::kRemote, "", "p", "ssh server", "", 1},
    {"pdsh clush", P::kRemote, "", "wxlfgtuR"},
    {"sshpass", P::kLauncher, "", "pfdP"},
    {"tmux", P::kRemote, "c", "SLfsntxyeF", "", "", 1},
    {"screen", P::kRemote, "", "cehpsStT"},
    {.names = "sqlite sqlite3 duckdb",
     .kind = P::kRemote,
     .long_options = "cmd init",
     .operands = 1,
     .reads_code = true},
    {"npx", P::kLauncher, "c", "p", "call", "package"},
    {"scp sftp", P::kData, "oFS"},
    {"rsync", P::kData, "e", "", "rsh rsync-path"},
    {"tar", P::kData, "IF", "",
     "use-compress-program checkpoint-action to-command rsh-command "
     "info-script new-volume-script"},
    {"git", P::kData, "c", "",
     "config-env upload-pack receive-pack exec exec-path open-files-in-pager extcmd"},
    {"make gmake", P::kData, "f", "", "eval file makefile", "", 0, false, "", true},
    {.names = "psql",
     .kind = P::kData,
     .code = "cf",
     .long_options = "command file",
     .reads_code = true},
    {.names = "mysql mariadb",
     .kind = P::kData,
     .code = "e",
     .long_options = "execute init-command",
     .reads_code = true},
    {.names = "at batch", .kind = P::kData, .code = "f", .reads_code = true},
    {.names = "gdb",
     .kind = P::kData,
     .long_options = "x ex eval-command iex init-eval-command command init-command",
     .reads_code = true},
    {.names = "lldb",
     .kind = P::kData,
     .code = "oOskS",
     .long_options = "one-line one-line-before-file one-line-on-crash source source-before-file",
     .reads_code = true},
    {.names = "ed ex vi vim nvim",
     .kind = P::kData,
     .code = "cS",
     .long_options = "cmd",
     .reads_code = true},
    {.names = "dc m4 gnuplot octave",
     .kind = P::kData,
     .code = "e",
     .long_options = "eval expression",
     .reads_code = true},
    {.names = "ansible", .kind = P::kData, .code = "ae", .long_options = "args extra-vars"},
    {.names = "ansible-playbook", .kind = P::kData, .expanded = "e extra-vars i inventory"},
    {.names = "socat", .kind = P::kData, .expands = true},
    {"nc ncat netcat", P::kData, "ec", "", "exec sh-exec lua-exec"},
    {"curl", P::kData, "K", "", "config"},
    {.names = "sort", .kind = P::kData, .long_options = "compress-program"},
    {.names = "split", .kind = P::kData, .long_options = "filter"},
    {.names = "zip", .kind = P::kData, .long_options = "TT unzip-command"},
    {.names = "rpm rpmbuild rpmspec rpmquery",
     .kind = P::kData,
     .code = "ED",
     .long_options = "eval define predefine pipe load macros rcfile"},
    {.names = "dpkg", .kind = P::kData, .long_options = "pre-invoke post-invoke status-logger"},
    {.names = "apt apt-get apt-cache aptitude",
     .kind = P::kData,
     .code = "oc",
     .long_options = "option config-file"},
    {.names = "man", .kind = P::kData, .code = "PHC", .long_options = "pager html config-file"},
    {.names = "tcpdump", .kind = P::kData, .code = "z"},
    {.names = "wget", .kind = P::kData, .code = "e", .long_options = "execute use-askpass config"},
    {.names = "svn",
     .kind = P::kData,
     .long_options = "config-option diff-cmd diff3-cmd editor-cmd merge-tool"},
    {.names = "hg cargo", .kind = P::kData, .long_options = "config"},
    {.names = "nmap", .kind = P::kData, .long_options = "script"},
    {.names = "debugfs", .kind = P::kData, .code = "Rf"},
    {.names = "iptables ip6tables", .kind = P::kData, .code = "M", .long_options = "modprobe"},
    {.names = "gcc g++ cc c++ clang clang++",
     .kind = P::kData,
     .long_options = "wrapper fplugin specs"},
    {"grep egrep fgrep zgrep rg ack ping head tail wc cut md5sum sha256sum", P::kData},
};

}  // namespace

std::string BaseName(std::string_view program) {
  std::string name(program.substr(program.rfind('/') + 1));
  if (name.ends_with("-static")) name.resize(name.size() - 7);
  const size_t end = name.find_last_not_of("0123456789.-");
  return end == std::string::npos ? name : name.substr(0, end + 1);
}

bool Has(std::string_view list, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  for (size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return true;
  }
  return false;
}

const Program* FindProgram(std::string_view name) {
  for (const Program& program : kPrograms) {
    if (Has(program.names, name)) return &program;
  }
  return nullptr;
}

}  // namespace jobtail::config
