// How a command's output becomes lines, in each of the three ways of reading it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/process/outputs.h"
#include "tests/server/process/process_fixture.h"

namespace jobtail::testing {
namespace {

using process::OutputMode;
using ::testing::ElementsAre;

class OutputTest : public ProcessTest, public ::testing::WithParamInterface<OutputMode> {
 protected:
  process::Command Script(const std::string& script) {
    process::Command command = Shell(script);
    command.output = GetParam();
    return command;
  }
  static v1::Stream ErrorStream() {
    return GetParam() == OutputMode::kTerminal ? v1::STREAM_STDOUT : v1::STREAM_STDERR;
  }
};
std::string ModeName(const ::testing::TestParamInfo<OutputMode>& mode) {
  if (mode.param == OutputMode::kExact) return "Exact";
  return mode.param == OutputMode::kTerminal ? "Terminal" : "Pipes";
}
INSTANTIATE_TEST_SUITE_P(Modes, OutputTest,
                         ::testing::Values(OutputMode::kPipes, OutputMode::kExact,
                                           OutputMode::kTerminal),
                         ModeName);

// "1\n2\n..." as seq prints it. It writes blocks, so a line may come in two records if the machine
// is busy.
std::string Sequence(int last) {
  std::string text;
  for (int i = 1; i <= last; ++i) absl::StrAppend(&text, i, "\n");
  return text;
}

TEST_P(OutputTest, EveryLineArrivesOnItsStream) {
  const auto records = RunCommand(Script("echo out; echo err >&2"));
  ASSERT_EQ(records.size(), 3);
  for (const v1::LogLine& record : {records[0], records[1]}) {
    EXPECT_EQ(record.stream(), record.text() == "out" ? v1::STREAM_STDOUT : ErrorStream());
  }
}

TEST_P(OutputTest, TheLastLineNeedsNoTerminator) {
  const auto records = RunCommand(Script("printf 'one\\ntwo'"));
  EXPECT_THAT(Lines(records), ElementsAre("one", "two"));
  EXPECT_EQ(records[1].ending(), v1::ENDING_NONE);
}

TEST_P(OutputTest, TextWithoutATerminatorIsShownSoon) {
  const std::string run = StartCommand(Script("printf 'Password: '; exec sleep 1000"));
  EXPECT_TRUE(AwaitLine(run, "Password: "));
  ASSERT_TRUE(Cancel(run).ok());
}

TEST_P(OutputTest, CarriageReturnsEndLines) {
  const auto records = RunCommand(Script("printf '10%%\\r20%%\\rdone\\n'"));
  EXPECT_THAT(Lines(records), ElementsAre("10%", "20%", "done"));
  EXPECT_EQ(records[0].ending(), v1::ENDING_CR);
}

TEST_P(OutputTest, ALineWithoutEndComesInPieces) {
  constexpr int64_t kBytes = 64 << 20;
  const auto records =
      RunCommand(Script(absl::StrCat("head -c ", kBytes, " /dev/zero | tr '\\0' x")));
  EXPECT_EQ(records.back().result().total_bytes(), kBytes);
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
  const auto whole = std::ranges::count_if(
      records, [](const v1::LogLine& record) { return record.text().size() == 64 << 10; });
  EXPECT_GT(whole, 500);  // of 1024: what waits for more is shown as it is
}

TEST_P(OutputTest, NothingThatWasPrintedBeforeTheEndIsLost) {
  for (int i = 0; i < 20; ++i) {
    const auto records = RunCommand(Script("seq 1 2000; kill -9 $$"));
    ASSERT_TRUE(Printed(records, v1::STREAM_STDOUT) == Sequence(2000)) << records.size();
  }
}

TEST_F(ProcessTest, ExactOrderIsThatOfTheWrites) {
  process::Command command =
      Program({"/usr/bin/python3", "-c",
               "import os\n"
               "for i in range(5000): os.write(1 + i % 2, b'%d\\n' % i)\n"
               "os.write(1, b'a'); os.write(2, b'b'); os.write(1, b'c\\n'); os.write(2, b'd\\n')"});
  command.output = OutputMode::kExact;
  const auto records = RunCommand(command);
  ASSERT_EQ(records.size(), 5005);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(records[static_cast<size_t>(i)].text(), absl::StrCat(i));
    ASSERT_EQ(records[static_cast<size_t>(i)].stream(),
              i % 2 ? v1::STREAM_STDERR : v1::STREAM_STDOUT);
  }
  std::string rest;
  for (size_t i = 5000; i < 5004; ++i) rest += records[i].text();
  EXPECT_EQ(rest, "abcd");
}

TEST_F(ProcessTest, ATerminalIsATerminal) {
  process::Command command =
      Shell("test -t 1 && test -t 2 && tty < /dev/tty && stty size < /dev/tty");
  command.output = OutputMode::kTerminal;
  const auto records = RunCommand(command);
  ASSERT_EQ(Lines(records).size(), 2);
  EXPECT_EQ(Lines(records)[0].substr(0, 5), "/dev/");
  EXPECT_EQ(Lines(records)[1], "24 80");
}

TEST_P(OutputTest, ItReadsItsInputToTheEnd) {
  EXPECT_THAT(Lines(RunCommand(Script("test -t 0; echo $?; cat; echo end"))),
              ElementsAre("1", "end"));
  process::Command command = Script("cat");
  command.input = "given\n";
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("given"));
}

// Though nobody has it open for a while, the terminal stays: whoever has turned away from it is not
// hung up on, and can come back.
TEST_F(ProcessTest, ATerminalStaysForWhoComesBackToIt) {
  process::Command command = Shell(
      "echo begin; exec 3>&1 >/dev/null 2>&1 </dev/null; exec 3>&-; sleep 0.3; "
      "echo back > /dev/tty; sleep 0.3; exec > /dev/tty; echo end");
  command.output = OutputMode::kTerminal;
  const auto records = RunCommand(command);
  EXPECT_THAT(Lines(records), ElementsAre("begin", "back", "end"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
}

// As programs do that want a password, whatever their standard input is.
TEST_F(ProcessTest, NobodyWaitsForEverForWhatIsTypedAtATerminal) {
  process::Command command =
      Shell("for i in 1 2; do printf 'Password: '; head -n 1 < /dev/tty; echo; done; echo end");
  command.output = OutputMode::kTerminal;
  const auto records = RunCommand(command);
  const std::vector<std::string> lines = Lines(records);
  EXPECT_EQ(lines.back(), "end");
  EXPECT_EQ(std::ranges::count(lines, "Password: "), 2);
  const auto hint = std::ranges::find_if(
      lines, [](const std::string& line) { return line.starts_with("jobtail: head (process "); });
  ASSERT_NE(hint, lines.end()) << ::testing::PrintToString(lines);
  EXPECT_THAT(*hint, ::testing::HasSubstr("it is given the end of the file"));
  EXPECT_EQ(std::ranges::count_if(
                lines, [](const std::string& line) { return line.starts_with("jobtail: "); }),
            1);
}

TEST_F(ProcessTest, NobodyWaitsForEverInSelectEither) {
  process::Command command = Program({"python3", "-c",
                                      "import os, select\n"
                                      "terminal = os.open('/dev/tty', os.O_RDWR)\n"
                                      "os.write(terminal, b'Password: ')\n"
                                      "select.select([terminal], [], [])\n"
                                      "print(os.read(terminal, 80))\n"});
  command.output = OutputMode::kTerminal;
  const std::vector<std::string> lines = Lines(RunCommand(command));
  EXPECT_THAT(lines, ::testing::Contains(::testing::HasSubstr("it is given the end of the file")));
  EXPECT_EQ(lines.back(), "b''");
}

// A log that holds little.
class SmallLog : public ProcessTest {
 protected:
  SmallLog()
      : ProcessTest([] {
          EngineOptions options;
          options.log.unsaved_bytes = 64 << 10;
          return options;
        }()) {}
};

TEST_F(SmallLog, ACommandWaitsWhileTheLogIsFullAndLosesNothing) {
  constexpr int kForEver = 1'000'000;
  store_.Fail(Call::kAppend, absl::UnavailableError("not now"), kForEver);
  const std::string file = directory_.path() + "/done";
  const std::string run = StartCommand(Shell("seq 1 200000; echo > " + file));
  store_.AwaitCount(Call::kAppend, 5);  // it is tried again every 100 ms
  EXPECT_NE(::access(file.c_str(), F_OK), 0);
  store_.Mend(Call::kAppend);
  const auto records = AwaitLog(run);
  ASSERT_TRUE(Printed(records, v1::STREAM_STDOUT) == Sequence(200'000)) << records.size();
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
}

// What any process on the machine can do: send to every socket that has a name.
int SendToAllSockets(const std::string& text) {
  std::ifstream list("/proc/net/unix");
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int reached = 0;
  for (std::string line; std::getline(list, line);) {
    const size_t at = line.find('@');
    if (at == std::string::npos) continue;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = line.substr(at + 1);
    if (name.size() != 5) continue;  // of those that the system has named
    name.copy(address.sun_path + 1, name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const ssize_t sent = sendto(fd, text.data(), text.size(), MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), size);
    reached += sent > 0 ? 1 : 0;
  }
  close(fd);
  return reached;
}

using ForgeryTest = ProcessTest;

TEST_F(ForgeryTest, NobodyElseWritesIntoALogOfExactOrder) {
  const std::string go = directory_.path() + "/go";
  process::Command command =
      Shell(absl::StrCat("echo one; while ! [ -e ", go,
                         " ]; do sleep 0.01; done; echo two >&2; exec >&-; echo end >&2"));
  command.output = OutputMode::kExact;
  const std::string run = StartCommand(command);
  ASSERT_TRUE(AwaitLine(run, "one"));
  EXPECT_GT(SendToAllSockets("forged\n"), 0) << "the receiver's at least";
  std::ofstream(go).close();
  EXPECT_THAT(Lines(AwaitLog(run)), ElementsAre("one", "two", "end"));
}

// As su and sudo do. A look at who sends would lose it.
TEST_F(ForgeryTest, WhatTheCommandPrintsAsAnotherUserIsThere) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming another user takes root";
  process::Command command =
      Shell("echo one; setpriv --reuid=65534 --clear-groups echo two; echo three >&2");
  command.output = OutputMode::kExact;
  EXPECT_THAT(Lines(AwaitLog(StartCommand(command))), ElementsAre("one", "two", "three"));
}

// Runs a script in a namespace of processes of its own. Returns its exit code; 77 if that cannot be
// begun. The mounts keep their propagation, which cannot be changed where the root is no mount.
int RunInOwnNamespace(const std::string& script) {
  const pid_t pid = fork();
  if (pid == 0) {
    execlp("unshare", "unshare", "--pid", "--fork", "--mount-proc", "--propagation", "unchanged",
           "sh", "-c", script.c_str(), nullptr);
    _exit(77);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// In a namespace of its own, since the setting is of one and cannot be taken back. It is this
// program again that runs a command there.
TEST(NoExecTest, CommandsRunWhereTheSystemRefusesFilesInMemoryThatCouldBeExecuted) {
  if (RunInOwnNamespace("echo 2 > /proc/sys/vm/memfd_noexec") != 0) {
    GTEST_SKIP() << "needs root, namespaces of processes, and Linux 6.3";
  }
  EXPECT_EQ(RunInOwnNamespace(
                absl::StrCat("echo 2 > /proc/sys/vm/memfd_noexec; exec ",
                             std::filesystem::read_symlink("/proc/self/exe").string(),
                             " --gtest_filter=Modes/OutputTest.EveryLineArrivesOnItsStream/*:"
                             "Modes/OutputTest.ItReadsItsInputToTheEnd/*")),
            0);
}

}  // namespace
}  // namespace jobtail::testing
