// Tests of what programs take their arguments for.

#include "server/config/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_join.h"

namespace jobtail::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Arguments = std::vector<std::string>;

std::vector<Template> Templates(const Arguments& line) {
  std::vector<Template> templates;
  for (size_t i = 1; i < line.size(); ++i) templates.push_back(*Template::Parse(line[i]));
  return templates;
}

// The index of the argument in `line` at which something is found, 0 for nothing.
int FoundIn(const Arguments& line, const std::string& input = "") {
  const std::vector<Template> templates = Templates(line);
  const auto found = CommandLine(line[0], templates).Find(*Template::Parse(input));
  return found ? found->argument + 1 : 0;
}

TEST(CommandLine, FindsCodeInEveryUsualInterpreter) {
  const Arguments kCases[] = {
      {"sh", "-c", "ls {x}"},
      {"/bin/sh", "-ce", "ls {x}"},
      {"bash", "-ec", "ls {x}"},
      {"bash", "-c", "--", "ls {x}"},
      {"bash", "-c", "-e", "{x}"},
      {"bash", "-c", "+e", "{x}"},
      {"bash", "--norc", "-c", "{x}"},
      {"bash", "-o", "errexit", "-c", "ls {x}"},
      {"bash", "-oc", "errexit", "ls {x}"},
      {"bash", "-euo", "pipefail", "-c", "ls {x}"},
      {"/usr/bin/bash-static", "-c", "ls {x}"},
      {"dash", "-c", "{x}"},
      {"zsh", "-fc", "{x}"},
      {"fish", "-c", "{x}"},
      {"fish", "--command={x}"},
      {"csh", "-c", "{x}"},
      {"bash", "{x}"},
      {"bash", "--rcfile", "{x}", "-i"},
      {"python3", "-c", "print({x})"},
      {"python3.11", "-u", "-c", "print({x})"},
      {"python3", "-cprint({x})"},
      {"python3", "-uc", "print({x})"},
      {"python3", "-W", "ignore", "-c", "{x}"},
      {"python3", "-m", "{x}"},
      {"python3", "{x}"},
      {"perl", "-e", "print {x}"},
      {"perl", "-ne", "print {x}"},
      {"perl", "-eprint {x}"},
      {"perl", "-e", "1", "-e", "print {x}"},
      {"perl", "-M{x}", "-e", "1"},
      {"perl", "-I", "{x}", "-e", "1"},
      {"ruby", "-e", "puts {x}"},
      {"ruby", "-r", "{x}", "-e", "1"},
      {"node", "-e", "console.log({x})"},
      {"node", "--eval", "{x}"},
      {"node", "--eval={x}"},
      {"node", "-p", "{x}"},
      {"php", "-r", "echo {x};"},
      {"lua5.4", "-e", "print({x})"},
      {"awk", "{{print {x}}}"},
      {"gawk", "-e", "{x}"},
      {"sed", "s/a/{x}/"},
      {"sed", "-n", "-e", "{x}"},
      {"sed", "p", "file", "-e", "{x}"},
      {"env", "sh", "-c", "ls {x}"},
      {"env", "-i", "A=b", "sh", "-c", "ls {x}"},
      {"env", "-S", "ls {x}"},
      {"env", "-S{x}"},
      {"rsync", "-e{x}", "a", "b"},
      {"perl", "-e{x}"},
      {"busybox", "sh", "-c", "ls {x}"},
      {"nice", "-n", "10", "sh", "-c", "ls {x}"},
      {"timeout", "-k", "5", "10", "bash", "-c", "ls {x}"},
      {"sudo", "-u", "node", "sh", "-c", "ls {x}"},
      {"sudo", "--user", "bob", "sh", "-c", "ls {x}"},
      {"setsid", "sh", "-c", "ls {x}"},
      {"stdbuf", "-oL", "sh", "-c", "ls {x}"},
      {"xargs", "-I", "%", "sh", "-c", "ls {x}"},
      {"nohup", "nice", "env", "python3", "-c", "{x}"},
      {"su", "bob", "-c", "ls {x}"},
      {"su", "-", "bob", "-c", "{x}"},
      {"runuser", "-u", "bob", "--", "sh", "-c", "{x}"},
      {"runuser", "bob", "-c", "{x}"},
      {"runuser", "--user=bob", "sh", "-c", "{x}"},
      {"sshpass", "-f", "/p", "ssh", "host", "ls {x}"},
      {"rsh", "host", "ls", "{x}"},
      {"pdsh", "-w", "host", "ls", "{x}"},
      {"npx", "-c", "{x}"},
      {"nu", "-c", "{x}"},
      {"nc", "-e", "{x}", "host", "1"},
      {"mariadb", "-e", "{x}"},
      {"mysql", "--execute={x}"},
      {"flock", "/tmp/lock", "-c", "{x}"},
      {"script", "-qc", "ls {x}", "/dev/null"},
      {"watch", "ls", "{x}"},
      {"ssh", "host", "ls", "{x}"},
      {"ssh", "-o", "ProxyCommand={x}", "host"},
      {"ssh", "-oProxyCommand={x}", "host"},
      {"env", "{x}"},
      {"sudo", "{x}"},
      {"timeout", "5", "{x}"},
      {"xargs", "{x}"},
      {"find", "/", "-exec", "{x}", ";"},
      {"find", "/", "-exec", "sh", "-c", "{x}", ";"},
      {"docker", "exec", "box", "sh", "-c", "{x}"},
      {"psql", "-c", "select '{x}'"},
      {"mysql", "--execute", "select '{x}'"},
      {"rsync", "-e", "{x}", "a", "b"},
      {"rsync", "--rsh={x}", "a", "b"},
      {"tar", "--checkpoint-action=exec={x}", "-cf", "a", "b"},
      {"git", "-c", "core.pager={x}", "log"},
      {"systemd-run", "-p", "User=bob", "sh", "-c", "{x}"},
      {"python3", "-m", "timeit", "{x}"},
      {"python3", "-m", "timeit", "-s", "{x}", "pass"},
      {"python3", "-m", "pdb", "{x}"},
      {"deno", "eval", "{x}"},
      {"deno", "run", "-A", "{x}"},
      {"pwsh", "-Command", "ls {x}"},
      {"crontab", "{x}"},
      {"tmux", "new-session", "-d", "-s", "name", "{x}"},
      {"tmux", "send-keys", "-t", "name", "{x}", "Enter"},
      {"screen", "-S", "name", "-X", "stuff", "{x}"},
      {"sqlite3", "/a.db", "select '{x}'"},
      {"sqlite3", "-cmd", "{x}", "/a.db", ".quit"},
      {"gdb", "-batch", "-ex", "print {x}", "a.out"},
      {"gdb", "--eval-command={x}", "a.out"},
      {"lldb", "-o", "{x}", "a.out"},
      {"vim", "-c", "{x}", "file"},
      {"gdb", "-batch", "-x", "{x}", "a.out"},
      {"psql", "-f", "{x}"},
      {"gnuplot", "-e", "{x}"},
      {"at", "-f", "{x}", "now"},
      {"ansible", "all", "-m", "shell", "-a", "ls {x}"},
      {"sort", "--compress-program={x}", "file"},
      {"sort", "--compress-program", "{x}", "file"},
      {"split", "--filter={x}", "file"},
      {"zip", "a.zip", "file", "-T", "-TT", "{x}"},
      {"rpm", "--eval", "{x}"},
      {"rpm", "-E", "{x}"},
      {"rpm", "-D", "a {x}", "-q", "b"},
      {"dpkg", "--pre-invoke={x}", "-i", "a.deb"},
      {"apt-get", "-o", "APT::Update::Pre-Invoke::={x}", "update"},
      {"apt-get", "-oA={x}", "update"},
      {"man", "-P", "{x}", "ls"},
      {"tcpdump", "-G", "1", "-w", "a", "-z", "{x}"},
      {"wget", "--use-askpass={x}", "https://example.org"},
      {"svn", "diff", "--diff-cmd", "{x}"},
      {"hg", "--config", "alias.a=!{x}", "a"},
      {"nmap", "--script={x}", "host"},
      {"git", "grep", "--open-files-in-pager={x}", "a"},
      {"gcc", "-wrapper", "{x}", "a.c"},
      {"gcc", "-fplugin={x}", "a.c"},
      {"bash", "-c", "eval \"$1\"", "--", "{x}"},
      {"pwsh", "-ExecutionPolicy", "Bypass", "-Command", "{x}"},
      {"julia", "-t", "4", "-e", "{x}"},
      {"groovy", "-cp", "a.jar", "-e", "{x}"},
      {"node", "--loader", "a.mjs", "-e", "{x}"},
      {"rg", "--pre={x}", "a"},
      {"strace", "-o", "{x}", "ls"},
      {"vim", "-es", "+{x}"},
      {"make", "-E{x}"},
      {"emacs", "--batch", "--eval", "{x}"},
      {"sg", "staff", "-c", "{x}"},
      {"gosu", "bob", "sh", "-c", "{x}"},
      {"prlimit", "--nofile=10", "sh", "-c", "{x}"},
      {"sh", "-c", "\"$@\"", "sh", "{x}"},
      {"sh", "-c", "umask 022; exec \"$@\"", "sh", "env", "sh", "-c", "{x}"},
      {"sh", "-c", ". \"$1\"", "sh", "{x}"},
      {"sh", "-c", "source ./a; source $1", "sh", "{x}"},
      {"sh", "-c", "eval \"set -e; $1\"", "sh", "{x}"},
      {"sh", "-c", "c=$1; eval \"$c\"", "sh", "{x}"},
      {"sh", "-c", "ssh host \"ls $1\"", "sh", "{x}"},
      {"sh", "-c", "su app -c \"ls $1\"", "sh", "{x}"},
      {"sh", "-c", "python3 -c \"print($1)\"", "sh", "{x}"},
      {"sh", "-ec", "cd /; eval echo $1", "sh", "{x}"},
      {"sh", "-c", "eval \"ls ${{2}}\"", "sh", "a", "{x}"},
      {"sh", "-c", "if true; then eval \"$@\"; fi", "sh", "{x}"},
      {"sh", "-c", "bash -c \"$1\"", "sh", "{x}"},
      {"sh", "-c", "ssh host sh -c \"'ls $1'\"", "sh", "{x}"},
      {"env", "sh", "-c", "eval \"$*\"", "sh", "{x}"},
  };
  for (const Arguments& line : kCases) {
    const int found = FoundIn(line);
    EXPECT_GT(found, 0) << absl::StrJoin(line, " ");
    EXPECT_THAT(line[static_cast<size_t>(found)], HasSubstr("{x}")) << absl::StrJoin(line, " ");
  }
}

TEST(CommandLine, LeavesValuesAloneThatAreOnlyValues) {
  const Arguments kCases[] = {
      {"sh", "-c", "ls \"$1\"", "sh", "{x}"},
      {"sh", "-ce", "--", "ls \"$1\"", "sh", "<{x}>"},
      {"bash", "-euo", "pipefail", "-c", "ls \"$1\"", "sh", "{x}", "--to={x}"},
      {"bash", "/usr/bin/script", "{x}", "-c", "{x}"},
      {"python3", "-u", "-c", "import sys", "{x}", "-c", "{x}"},
      {"python3", "-m", "http.server", "{x}"},
      {"perl", "-e", "print @ARGV", "--", "{x}"},
      {"perl", "-e", "print @ARGV", "{x}"},
      {"node", "deploy.js", "-e", "{x}"},
      {"awk", "-v", "n={x}", "-F{x}", "{{print n}}", "{x}"},
      {"sed", "-e", "p", "--", "{x}"},
      {"env", "A={x}", "ls", "{x}"},
      {"nice", "-n", "{x}", "ls", "{x}"},
      {"nice", "-n{x}", "ls", "{x}"},
      {"timeout", "{x}", "ls", "{x}"},
      {"sudo", "-u", "{x}", "ls", "{x}"},
      {"rsync", "--archive", "--bwlimit={x}", "{x}/", "backup::nightly"},
      {"du", "--block-size={x}", "--", "{x}"},
      {"grep", "-e", "a b {x}", "{x}"},
      {"find", "{x}", "-name", "{x}", "-exec", "rm", ";"},
      {"ping", "-c", "{x}", "host"},
      {"gcc", "-c", "{x}.c"},
      {"echo", "Hello, {x}!", "-e", "sh"},
      {"apt-get", "install", "python3", "{x}"},
      {"psql", "-v", "n={x}", "-f", "/q.sql"},
      {"deno", "run", "-A", "deploy.ts", "{x}"},
      {"gdb", "-nx", "{x}"},
      {"gdb", "-batch", "-ex", "run", "{x}"},
      {"ed", "-E", "{x}"},
      {"vim", "-e", "{x}"},
      {"ansible-playbook", "-l", "{x}", "site.yml"},
      {"sort", "-k", "{x}", "{x}"},
      {"split", "-l", "{x}", "{x}"},
      {"zip", "-r", "{x}", "{x}"},
      {"rpm", "-q", "{x}"},
      {"apt-get", "-y", "install", "{x}"},
      {"gcc", "-o", "{x}", "{x}.c"},
      {"sh", "-c", "eval \"$(ssh-agent)\"; ssh-add \"$1\"", "sh", "{x}"},
      {"sh", "-c", "eval \"$(ssh-agent)\" && medieval -x \"$1\"", "sh", "{x}"},
      {"sh", "-c", "eval \"$1\"", "sh", "ls"},
      {"sh", "-c", "umask 022; exec \"$@\"", "sh", "rsync", "-a", "{x}", "b"},
      {"sh", "-c", "ssh \"$1\" ls", "sh", "{x}"},
      {"sh", "-c", "for i in 1 2; do echo \"$1\"; done; [ \"$1\" ]", "sh", "{x}"},
      {"sh", "-c", "i=1; while [ $i -le \"$1\" ]; do date +%T; done", "sh", "{x}"},
      {"sh", "-c", "tar c \"$1\" | gzip > /tmp/x.tgz", "sh", "{x}"},
      {"pwsh", "-ExecutionPolicy", "Bypass", "-File", "a.ps1", "{x}"},
      {"julia", "-t", "4", "a.jl", "{x}"},
      {"sh", "-c", "grep -c x \"$1\" | sort", "sh", "{x}"},
      {"sh", "-c", "tar -c \"$1\" | ssh host -c aes \"$1\"", "sh", "{x}"},
      {"sh", "-c", "bash -c 'ls \"$1\"' x \"$1\"", "sh", "{x}"},
  };
  for (const Arguments& line : kCases) EXPECT_EQ(FoundIn(line), 0) << absl::StrJoin(line, " ");
}

TEST(CommandLine, FindsCodeOnStandardInput) {
  for (const Arguments& line :
       {Arguments{"sh"}, Arguments{"bash", "-s"}, Arguments{"bash", "-eu", "-"},
        Arguments{"python3", "-"}, Arguments{"perl"}, Arguments{"env", "sh"},
        Arguments{"sudo", "-u", "bob", "bash", "-s", "--", "a"}, Arguments{"sqlite3", "/a.db"},
        Arguments{"psql", "-d", "a"}, Arguments{"at", "now"}, Arguments{"crontab", "-"},
        Arguments{"ssh", "host"}, Arguments{"su", "bob"}, Arguments{"sudo", "-s"},
        Arguments{"gdb", "-batch"}, Arguments{"ssh", "host", "bash", "-s"},
        Arguments{"docker", "exec", "-i", "box", "bash"},
        Arguments{"kubectl", "exec", "-i", "pod", "--", "sh"}}) {
    EXPECT_EQ(FoundIn(line, "ls {x}\n"), Misuse::kStdin + 1) << absl::StrJoin(line, " ");
    const std::vector<Template> templates = Templates(line);
    EXPECT_TRUE(CommandLine(line[0], templates).Find(*Template::Parse("{x}"))) << line[0];
    EXPECT_FALSE(CommandLine(line[0], templates).Find(*Template::Parse("ls"))) << line[0];
  }
  for (const Arguments& line :
       {Arguments{"cat"}, Arguments{"sh", "-c", "cat"}, Arguments{"python3", "x.py"},
        Arguments{"awk", "1"}, Arguments{"psql", "-f", "/q.sql"}, Arguments{"bash", "/x.sh"},
        Arguments{"psql", "-c", "copy a from stdin"}, Arguments{"ssh", "host", "cat"},
        Arguments{"su", "bob", "-c", "cat"}, Arguments{"xargs"}}) {
    const std::vector<Template> templates = Templates(line);
    EXPECT_FALSE(CommandLine(line[0], templates).Find(*Template::Parse("{x}"))) << line[0];
  }
}

TEST(CommandLine, KnowsWhichValuesCouldBeOptions) {
  const auto takes = [](const Arguments& line) {
    const std::vector<Template> templates = Templates(line);
    const CommandLine parsed(line[0], templates);
    std::string marks;
    for (size_t i = 0; i < templates.size(); ++i) marks += parsed.TakesOption(i) ? 'o' : '.';
    return marks;
  };
  EXPECT_EQ(takes({"ls", "{x}", "-l", "--to={x}", "{x}/a"}), "o..o");
  EXPECT_EQ(takes({"ls", "{x}", "--", "{x}"}), "o..");
  EXPECT_EQ(takes({"tar", "--{x}", "-{x}", "--a={x}"}), "oo.");
  EXPECT_EQ(takes({"ls", "{x}", "{dashes}", "{x}"}), "ooo");
  EXPECT_EQ(takes({"grep", "-e", "{x}", "--", "{x}"}), ".o..");
  EXPECT_EQ(takes({"sudo", "--", "rm", "{x}", "--", "{x}"}), "..o..")
      << "the first is sudo's alone";
  EXPECT_EQ(takes({"find", "--", "{x}"}), ".o") << "as -delete, which is no option to it";
  EXPECT_EQ(takes({"sh", "-c", "rm \"$1\"", "--", "{x}"}), "...o") << "which is $0";
}

TEST(CommandLine, KnowsVariablesThatArgumentsSet) {
  const Arguments line = {"env", "-i", "LD_PRELOAD={x}", "A=b", "ls", "B={x}"};
  const std::vector<Template> templates = Templates(line);
  const CommandLine parsed(line[0], templates);
  ASSERT_EQ(parsed.variables().size(), 1u);
  EXPECT_EQ(parsed.variables()[0].name, "LD_PRELOAD");
  EXPECT_EQ(parsed.variables()[0].argument, 1u);
  EXPECT_FALSE(parsed.variables()[0].expands);
}

TEST(CommandLine, KnowsThatMakeRunsWhatIsInItsOperands) {
  const Arguments line = {"make", "-j4", "all", "VERSION={x}", "{x}", "--", "{x}"};
  const std::vector<Template> templates = Templates(line);
  const CommandLine parsed(line[0], templates);
  ASSERT_EQ(parsed.variables().size(), 3u);
  EXPECT_EQ(parsed.variables()[0].name, "VERSION");
  for (const CommandLine::Variable& variable : parsed.variables()) EXPECT_TRUE(variable.expands);
}

TEST(CommandLine, KnowsWhatElseRunsWhatIsInItsOperands) {
  const auto expanded = [](const Arguments& line) {
    const std::vector<Template> templates = Templates(line);
    const CommandLine parsed(line[0], templates);
    std::vector<size_t> places;
    for (const CommandLine::Variable& variable : parsed.variables()) {
      if (variable.expands) places.push_back(variable.argument + 1);
    }
    return places;
  };
  EXPECT_THAT(expanded({"socat", "-", "TCP:{x}:80"}), ElementsAre(2u));
  EXPECT_THAT(expanded({"socat", "-", "EXEC:{x}"}), ElementsAre(2u));
  EXPECT_THAT(expanded({"ansible-playbook", "-e", "a={x}", "site.yml"}), ElementsAre(2u));
  EXPECT_THAT(expanded({"ansible-playbook", "--extra-vars=a={x}", "{x}.yml"}), ElementsAre(1u));
  EXPECT_THAT(expanded({"ansible-playbook", "-vea={x}", "-e", "a=1"}), ElementsAre(1u));
  EXPECT_THAT(expanded({"ansible-playbook", "-i", "{x}", "site.yml"}), ElementsAre(2u))
      << "an inventory that can be run is run";
}

}  // namespace
}  // namespace jobtail::config
