// What programs of many runtimes print, each in its own way, arrives whole, on its stream, in order
// where that is promised, in each of the three ways of reading it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/process/outputs.h"
#include "tests/server/process/process_fixture.h"

namespace jobtail::testing {
namespace {

using process::OutputMode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kLines = 2000;

// A way to print the numbers from 0 to kLines - 1, the even ones to stdout, the odd ones to stderr,
// and to end with exit code 3.
struct Runtime {
  const char* name;
  const char* program;  // to be looked up
  // Of a shell, in a directory of its own that has the file `source`; makes what is run. Need not
  // be there.
  const char* source;
  const char* text;
  const char* build;
  const char* run;
  bool in_turn = false;  // first the even numbers, then the odd ones
};

constexpr Runtime kRuntimes[] = {
    {"Sh", "sh", "t.sh",
     "i=0; while [ $i -lt 2000 ]; do echo $i; echo $((i+1)) >&2; i=$((i+2)); done; exit 3", "",
     "sh t.sh"},
    {"Bash", "bash", "t.sh",
     "for ((i = 0; i < 2000; i += 2)); do echo $i > /dev/stdout; echo $((i+1)) > /dev/stderr; "
     "done; exit 3",
     "", "bash t.sh"},
    {"Python", "python3", "t.py",
     "import sys\n"
     "for i in range(2000): print(i, file=(sys.stdout, sys.stderr)[i % 2], flush=True)\n"
     "sys.exit(3)\n",
     "", "python3 t.py"},
    // What is still to be written when it is told to exit, is written.
    {"Node", "node", "t.js",
     "for (let i = 0; i < 2000; ++i) i % 2 ? console.error(`${i}`) : console.log(`${i}`);\n"
     "process.exit(3);\n",
     "", "node t.js"},
    {"NodesChild", "node", "t.js",
     "const {spawnSync} = require('child_process');\n"
     "const text = 'for (let i = 0; i < 2000; ++i) i % 2 ? console.error(`${i}`) : "
     "console.log(`${i}`)';\n"
     "spawnSync(process.execPath, ['-e', text], {stdio: 'inherit'});\n"
     "process.exitCode = 3;\n",
     "", "node t.js"},
    {"Perl", "perl", "t.pl",
     "$| = 1; for ($i = 0; $i < 2000; ++$i) { $i % 2 ? print STDERR \"$i\\n\" : print \"$i\\n\"; } "
     "exit 3;",
     "", "perl t.pl"},
    {"Ruby", "ruby", "t.rb",
     "$stdout.sync = true\n"
     "2000.times { |i| (i % 2 == 1 ? $stderr : $stdout).puts i }\n"
     "exit 3\n",
     "", "ruby t.rb"},
    {"Java", "java", "T.java",
     "class T { public static void main(String[] a) {\n"
     "  for (int i = 0; i < 2000; ++i) (i % 2 == 1 ? System.err : System.out).println(i);\n"
     "  System.exit(3); } }\n",
     "javac T.java", "java -Xshare:auto -XX:TieredStopAtLevel=1 T"},
    {"Go", "go", "t.go",
     "package main\n"
     "import (\"fmt\"; \"os\")\n"
     "func main() { for i := 0; i < 2000; i++ {\n"
     "  if i % 2 == 1 { fmt.Fprintln(os.Stderr, i) } else { fmt.Println(i) } }\n"
     "  os.Exit(3) }\n",
     "HOME=$PWD CGO_ENABLED=0 go build t.go", "./t"},
    {"Rust", "rustc", "t.rs",
     "fn main() { for i in 0..2000 { if i % 2 == 1 { eprintln!(\"{}\", i) } else "
     "{ println!(\"{}\", i) } } std::process::exit(3) }\n",
     "rustc t.rs", "./t"},
    {"StaticC", "gcc", "t.c",
     "#include <stdio.h>\n"
     "int main() { for (int i = 0; i < 2000; ++i) { fprintf(i % 2 ? stderr : stdout, \"%d\\n\", i);"
     "fflush(stdout); } return 3; }\n",
     "gcc -static t.c -o t", "./t"},
    {"Curl", "curl", "t.sh",
     "curl --silent file://$PWD/even; curl --silent file://$PWD/odd >&2; exit 3",
     "seq 0 2 1999 > even; seq 1 2 1999 > odd", "sh t.sh", true},
    {"Git", "git", "t.sh", "git stripspace < even; git stripspace < odd >&2; exit 3",
     "seq 0 2 1999 > even; seq 1 2 1999 > odd", "sh t.sh", true},
};

bool IsInstalled(absl::string_view program) {
  const char* const path = getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  for (const absl::string_view directory : absl::StrSplit(path ? path : "", ':')) {
    if (::access(absl::StrCat(directory, "/", program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

using Parameters = std::tuple<Runtime, OutputMode>;

class RuntimeTest : public ProcessTest, public ::testing::WithParamInterface<Parameters> {
 protected:
  // As it is run from the shell, with the environment that these tests have: some of these are
  // found by scripts that look at it.
  process::Command InDirectory(const std::string& script) {
    process::Command command = Program({"/bin/sh", "-c", script});
    command.directory = directory_.path();
    for (char** variable = environ; *variable; ++variable) command.environment.push_back(*variable);
    return command;
  }
};

std::string NameOf(const ::testing::TestParamInfo<Parameters>& parameters) {
  const auto& [runtime, mode] = parameters.param;
  const char* const modes[] = {"Pipes", "Exact", "Terminal"};
  return absl::StrCat(runtime.name, modes[static_cast<int>(mode)]);
}
INSTANTIATE_TEST_SUITE_P(Runtimes, RuntimeTest,
                         ::testing::Combine(::testing::ValuesIn(kRuntimes),
                                            ::testing::Values(OutputMode::kPipes,
                                                              OutputMode::kExact,
                                                              OutputMode::kTerminal)),
                         NameOf);

std::vector<std::string> Numbers(int first, int step) {
  std::vector<std::string> numbers;
  for (int i = first; i < kLines; i += step) numbers.push_back(absl::StrCat(i));
  return numbers;
}

std::vector<std::string> InOrder(const Runtime& runtime) {
  std::vector<std::string> numbers = Numbers(0, runtime.in_turn ? 2 : 1);
  if (!runtime.in_turn) return numbers;
  const std::vector<std::string> odd = Numbers(1, 2);
  numbers.insert(numbers.end(), odd.begin(), odd.end());
  return numbers;
}

// Lines of one stream, whatever pieces they came in.
std::vector<std::string> LinesOf(const std::vector<v1::LogLine>& records, v1::Stream stream) {
  return absl::StrSplit(Printed(records, stream), '\n', absl::SkipEmpty());
}

TEST_P(RuntimeTest, EveryLineArrives) {
  const auto& [runtime, mode] = GetParam();
  if (!IsInstalled(runtime.program)) GTEST_SKIP() << runtime.program << " is not installed";
  std::ofstream(absl::StrCat(directory_.path(), "/", runtime.source)) << runtime.text;
  if (*runtime.build) {
    const auto built = RunCommand(InDirectory(runtime.build));
    ASSERT_EQ(built.back().result().exit_code(), 0) << ::testing::PrintToString(Lines(built));
  }
  process::Command command = InDirectory(absl::StrCat("exec ", runtime.run));
  command.output = mode;
  const auto records = RunCommand(command);
  EXPECT_EQ(records.back().result().exit_code(), 3);
  if (mode == OutputMode::kTerminal) {
    EXPECT_EQ(LinesOf(records, v1::STREAM_STDOUT), InOrder(runtime));
    return;
  }
  EXPECT_EQ(LinesOf(records, v1::STREAM_STDOUT), Numbers(0, 2));
  EXPECT_EQ(LinesOf(records, v1::STREAM_STDERR), Numbers(1, 2));
  if (mode == OutputMode::kExact) {
    const std::string all =
        absl::StrJoin(records, "", [](std::string* text, const v1::LogLine& record) {
          absl::StrAppend(text, record.text(), record.ending() == v1::ENDING_LF ? "\n" : "");
        });
    EXPECT_EQ(std::vector<std::string>(absl::StrSplit(all, '\n', absl::SkipEmpty())),
              InOrder(runtime));
  }
}

class ExactTest : public ProcessTest {
 protected:
  process::Command Exact(const std::string& script) {
    process::Command command = Shell(script);
    command.output = OutputMode::kExact;
    return command;
  }
};

TEST_F(ExactTest, AWriteMayBeLargerThanADatagram) {
  const auto records =
      RunCommand(Exact("python3 -c \"import os; print(os.write(1, b'x' * (5 << 20)), "
                       "file=__import__('sys').stderr); "
                       "os.writev(1, [b'y' * (3 << 20), b'', b'z'])\""));
  EXPECT_EQ(Printed(records, v1::STREAM_STDERR), absl::StrCat(5 << 20, "\n"));
  const std::string printed = Printed(records, v1::STREAM_STDOUT);
  ASSERT_EQ(printed.size(), (8 << 20) + 1);
  EXPECT_EQ(printed.find_first_not_of('x'), 5 << 20);
  EXPECT_EQ(printed.find_first_not_of('y', 5 << 20), 8 << 20);
  EXPECT_EQ(printed.back(), 'z');
}

// The C library writes what is long at once, and without a call that could be seen.
TEST_F(ExactTest, WhatStdioPrintsMayBeLargerThanADatagram) {
  const auto records = RunCommand(Exact(R"(python3 -c "
import ctypes
c = ctypes.CDLL(None)
text = b'x' * (3 << 20)
buffer = ctypes.create_string_buffer(4 << 20)
out = ctypes.c_void_p.in_dll(c, 'stdout')
print(c.puts(text) >= 0, c.fputs(text, out) >= 0, c.fwrite(text, 1 << 20, 3, out),
      c.printf(b'%s%d', text, 7), c.fprintf(out, b'%s\n', text), c.dprintf(1, b'%s', text),
      c.__printf_chk(1, b'%s', text), c.setvbuf(out, buffer, 0, 4 << 20), flush=True)
for i in range(40): c.fwrite(text, 1 << 16, 1, out)
c.fflush(out)
")"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
  const std::string printed = Printed(records, v1::STREAM_STDOUT);
  EXPECT_EQ(std::ranges::count(printed, 'x'), 7 * (3 << 20) + 40 * (1 << 16));
  EXPECT_THAT(printed, HasSubstr("True True 3 3145729 3145729 3145728 3145728 0\n"));
}

// Without the library it fails, and says so; none is cut off.
TEST_F(ExactTest, AWriteIsTakenWholeOrNotAtAll) {
  const auto records =
      RunCommand(Exact("env -u LD_PRELOAD python3 -c 'import os, sys\n"
                       "for size in 100, 200_000, 1 << 20, (1 << 20) + 1, 3 << 20, 5 << 20:\n"
                       "  try: print(os.write(1, b\"x\" * size), file=sys.stderr)\n"
                       "  except OSError as error: print(error.strerror, file=sys.stderr)'"));
  size_t taken = 0;
  size_t count = 0;
  for (const std::string& line : LinesOf(records, v1::STREAM_STDERR)) {
    size_t size;
    if (absl::SimpleAtoi(line, &size)) {
      taken += size;
    } else {
      EXPECT_EQ(line, "Message too long");
    }
    ++count;
  }
  EXPECT_EQ(count, 6);
  EXPECT_GE(taken, 200'100);
  EXPECT_EQ(Printed(records, v1::STREAM_STDOUT).size(), taken);
}

TEST_F(ExactTest, ItsOutputsCanBeOpenedByName) {
  const auto records = RunCommand(
      Exact("bash -c 'echo a > /dev/stdout; echo b > /dev/stderr; echo c >> /proc/self/fd/1; exec "
            "9>/dev/fd/2; echo d >&9'; echo e | tee /dev/stderr"));
  EXPECT_EQ(Printed(records, v1::STREAM_STDOUT), "a\nc\ne\n");
  EXPECT_EQ(Printed(records, v1::STREAM_STDERR), "b\nd\ne\n");
}

// As a parent such as Node leaves it to its children.
TEST_F(ExactTest, NothingIsLostOnAnOutputThatIsNotToBlock) {
  const auto records = RunCommand(
      Exact("python3 -c 'import fcntl, os\n"
            "fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_NONBLOCK)\n"
            "os.set_blocking(2, False)\n"
            "os.execvp(\"seq\", [\"seq\", \"1\", \"20000\"])'"));
  EXPECT_EQ(LinesOf(records, v1::STREAM_STDOUT).size(), 20'000);
}

TEST_F(ExactTest, OtherLibrariesThatAreToBeLoadedAre) {
  process::Command command = Exact("echo $LD_PRELOAD; echo $ASAN_OPTIONS");
  command.environment.emplace_back("LD_PRELOAD=/usr/libexec/coreutils/libstdbuf.so");
  command.environment.emplace_back("ASAN_OPTIONS=detect_leaks=0");
  EXPECT_THAT(Lines(RunCommand(command)),
              ElementsAre(::testing::MatchesRegex(
                              "/.*/libjobtail_exact.so:/usr/libexec/coreutils/libstdbuf.so"),
                          "verify_asan_link_order=0:detect_leaks=0"));
}

TEST_F(ExactTest, ItMayDoWithoutTheLibrary) {
  process::Command command = Exact("echo preload=$LD_PRELOAD; echo options=$ASAN_OPTIONS >&2");
  command.helps_exact_order = false;
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("preload=", "options="));
}

TEST_F(ExactTest, OneThatCannotBeHelpedAndSaysNothingIsSpokenFor) {
  if (::access("/sbin/ldconfig", X_OK) != 0) GTEST_SKIP() << "needs a static program";
  process::Command command = Program({"/sbin/ldconfig", "-N", "-X"});
  command.output = OutputMode::kExact;
  const auto records = RunCommand(command);
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_THAT(Lines(records), ElementsAre(HasSubstr("leave that out")));
  EXPECT_THAT(Lines(RunCommand(Exact("env -i true"))), ElementsAre(HasSubstr("leave that out")));
  EXPECT_THAT(Lines(RunCommand(Exact("false"))), ElementsAre());
}

}  // namespace
}  // namespace jobtail::testing
