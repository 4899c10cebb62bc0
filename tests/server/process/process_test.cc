// The life of a command: how it starts, ends, and is ended.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/thread_slice.h"
#include "tests/server/process/process_fixture.h"
#include "tests/support/thread_slice_probe.h"

namespace jobtail::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ProcessTest, ACommandsLinesAndExitCodeAreTheRuns) {
  const auto records = RunCommand(Shell("echo one; echo two; exit 7"));
  EXPECT_THAT(Lines(records), ElementsAre("one", "two"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(records.back().result().exit_code(), 7);
  EXPECT_EQ(ResultOf(Program({"/bin/true"})).state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(ProcessTest, ArgumentsArriveAsTheyAre) {
  const std::vector<std::string> wild = {"a\nb", "'\"", "; echo no", "$(echo no)", "`no`",
                                         "",     "*",   "\xff\x01",  "a b"};
  process::Command command = Program({"/usr/bin/printf", "<%s>"});
  std::string expected;
  for (const std::string& argument : wild) {
    command.arguments.push_back(argument);
    absl::StrAppend(&expected, "<", argument, ">");
  }
  EXPECT_EQ(Printed(RunCommand(command), v1::STREAM_STDOUT), expected);
}

TEST_F(ProcessTest, ANameIsLookedUpInThePathOfTheCommand) {
  process::Command command = Program({"hello"});
  command.environment = {absl::StrCat("PATH=/nowhere:", directory_.path())};
  std::ofstream(directory_.path() + "/hello") << "#!/bin/sh\necho found\n";
  chmod((directory_.path() + "/hello").c_str(), 0755);
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("found"));
}

TEST_F(ProcessTest, ItHasNothingButItsOwnEnvironmentDescriptorsAndDirectory) {
  process::Command command = Shell("/usr/bin/env | sort; ls /proc/self/fd | wc -l; pwd");
  command.environment = {"B=2", "A=1"};
  command.directory = "/tmp";
  // ls has one more open, for the directory.
  const std::string run = StartCommand(command);
  EXPECT_THAT(Lines(AwaitLog(run)), ElementsAre("A=1", "B=2", "JOBTAIL_JOB=" + Get(run).job(),
                                                "JOBTAIL_RUN_ID=" + run, "PWD=/tmp", "4", "/tmp"));
}

TEST_F(ProcessTest, ItReadsItsInputToTheEnd) {
  process::Command command = Program({"/bin/cat"});
  EXPECT_THAT(Lines(RunCommand(command)), IsEmpty());
  command.input = "first\nlast";
  EXPECT_EQ(Printed(RunCommand(command), v1::STREAM_STDOUT), "first\nlast");
}

TEST_F(ProcessTest, AMissingProgramIsAFailureThatSaysSo) {
  const v1::RunResult result = ResultOf(Program({"/no/such/program"}));
  EXPECT_EQ(result.state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(result.exit_code(), 127);
  EXPECT_THAT(result.error(), HasSubstr("cannot run \"/no/such/program\": No such file"));
  EXPECT_EQ(ResultOf(Program({"no-such-program"})).exit_code(), 127);
}

TEST_F(ProcessTest, AFileThatIsNoProgramIsAFailureThatSaysSo) {
  const v1::RunResult result = ResultOf(Program({"/etc/passwd"}));
  EXPECT_EQ(result.exit_code(), 126);
  EXPECT_THAT(result.error(), HasSubstr("cannot run \"/etc/passwd\": Permission denied"));
}

TEST_F(ProcessTest, ADirectoryThatIsNotThereIsAFailureThatSaysSo) {
  process::Command command = Program({"/bin/true"});
  command.directory = "/no/such/directory";
  const v1::RunResult result = ResultOf(command);
  EXPECT_EQ(result.state(), v1::RUN_STATE_FAILED);
  EXPECT_THAT(result.error(), HasSubstr("cannot enter the directory \"/no/such/directory\""));
}

TEST_F(ProcessTest, ADirectoryThatItsUserMayNotEnterIsAFailureThatSaysSo) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  chmod(directory_.path().c_str(), 0700);
  process::Command command = Program({"/bin/true"});
  command.user = process::FindUser("nobody").value();
  command.directory = directory_.path();
  EXPECT_THAT(ResultOf(command).error(), HasSubstr("Permission denied"));
}

TEST_F(ProcessTest, ItRunsAsItsUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  process::Command command = Shell("id -un; id -G");
  command.user = process::FindUser("nobody").value();
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("nobody", "65534"));
}

TEST_F(ProcessTest, ArgumentsThatAreTooLargeAreAFailureThatSaysSo) {
  const v1::RunResult result = ResultOf(Program({"/bin/true", std::string(1 << 20, 'x')}));
  EXPECT_EQ(result.exit_code(), 126);
  EXPECT_THAT(result.error(), HasSubstr("Argument list too long"));
  EXPECT_THAT(result.error(), HasSubstr("standard input"));
}

TEST_F(ProcessTest, AHundredThousandArgumentsArrive) {
  process::Command command = Shell("echo $#");
  command.arguments.emplace_back("sh");
  for (int i = 0; i < 100'000; ++i) command.arguments.emplace_back("x");
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("100000"));
}

TEST_F(ProcessTest, ItsPriorityIsAsAskedFor) {
  process::Command command = Shell("nice; ionice");
  command.nice = 7;
  command.io_priority = 3 << 13;
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("7", "idle"));
}

TEST_F(ProcessTest, ItHasTheUsualSlicesOfTheProcessorWhoeverAskedForIt) {
  const auto usual = SchedulingOf();
  std::string run;
  std::thread([&] {
    TakeLongSlices();
    run = StartCommand(Shell("echo $$; exec sleep 1000"));
  }).join();
  ASSERT_TRUE(Eventually([&] { return !Lines(ReadLog(run)).empty(); }));
  int pid;
  ASSERT_TRUE(absl::SimpleAtoi(Lines(ReadLog(run)).front(), &pid));
  EXPECT_EQ(SchedulingOf(pid).slice_nanos, usual.slice_nanos);
  ASSERT_TRUE(Cancel(run).ok());
}

TEST_F(ProcessTest, ASignalThatEndsItIsInTheResult) {
  const v1::RunResult result = ResultOf(Shell("kill -9 $$"));
  EXPECT_EQ(result.state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(result.signal(), SIGKILL);
  EXPECT_EQ(result.exit_code(), 128 + SIGKILL);
  EXPECT_THAT(result.error(), HasSubstr("SIGKILL"));
  EXPECT_FALSE(result.core_dumped());
}

TEST_F(ProcessTest, WhatItUsedIsInTheResult) {
  const v1::RunResult result =
      ResultOf(Shell("dd if=/dev/zero of=/dev/null bs=64M count=4 2>/dev/null"));
  EXPECT_GE(result.usage().peak_memory_bytes(), 64 << 20);
  EXPECT_GT(result.usage().system_time().nanos() + result.usage().user_time().nanos() +
                result.usage().system_time().seconds(),
            0);
}

TEST_F(ProcessTest, CancellingSendsTheStopSignalToTheWholeGroup) {
  process::Command command = Shell(
      "trap 'echo stopping; wait; exit 3' USR1; sh -c 'trap \"echo child; exit\" USR1; "
      "echo ready; while :; do sleep 0.01; done' 2>/dev/null & while :; do wait; done");
  command.stop_signal = SIGUSR1;
  const std::string run = StartCommand(command);
  ASSERT_TRUE(AwaitLine(run, "ready"));
  ASSERT_TRUE(Cancel(run).ok());
  const auto records = AwaitLog(run);
  EXPECT_THAT(Lines(records), ::testing::UnorderedElementsAre("ready", "stopping", "child"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(records.back().result().exit_code(), 3);
}

// As a daemon does, and a shell with job control for each of its jobs.
constexpr char kDaemon[] =
    "setsid sh -c 'trap \"echo daemon; exit\" TERM; echo ready; while :; do sleep 0.01; done' & ";

TEST_F(ProcessTest, CancellingAsksThoseInSessionsOfTheirOwnToo) {
  process::Command command = Shell(absl::StrCat(kDaemon, "wait"));
  command.grace = absl::Hours(10);
  const std::string run = StartCommand(command);
  ASSERT_TRUE(AwaitLine(run, "ready"));
  ASSERT_TRUE(Cancel(run).ok());
  const auto records = AwaitLog(run);
  EXPECT_THAT(Lines(records), ::testing::Contains("daemon"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(records.back().result().signal(), SIGTERM);
}

TEST_F(ProcessTest, CancellingAsksWhatTheCommandHasLeftBehind) {
  process::Command command = Shell(absl::StrCat(kDaemon, "echo $$"));
  command.drain = absl::Hours(10);
  const std::string run = StartCommand(command);
  ASSERT_TRUE(AwaitLine(run, "ready"));
  ASSERT_TRUE(Eventually([&] {
    return std::ranges::all_of(Lines(ReadLog(run)),
                               [](const std::string& line) {
                                 int pid;
                                 return !absl::SimpleAtoi(line, &pid) || !IsAlive(pid);
                               }) &&
           Lines(ReadLog(run)).size() == 2;
  }));
  ASSERT_TRUE(Cancel(run).ok());
  EXPECT_THAT(Lines(AwaitLog(run)), ::testing::Contains("daemon"));
}

TEST_F(ProcessTest, ACommandThatIgnoresTheStopSignalIsKilledAfterTheGrace) {
  process::Command command = Shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  command.grace = absl::Milliseconds(50);
  const std::string run = StartCommand(command);
  ASSERT_TRUE(AwaitLine(run, "ready"));
  ASSERT_TRUE(Cancel(run).ok());
  const v1::RunResult result = AwaitResult(run);
  EXPECT_EQ(result.state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(result.signal(), SIGKILL);
  EXPECT_THAT(result.error(), HasSubstr("did not end within 50ms of SIGTERM and was killed"));
}

TEST_F(ProcessTest, ACommandThatIsStoppedStillHeedsTheStopSignal) {
  const std::string run = StartCommand(Shell("echo ready; kill -STOP $$; echo no"));
  ASSERT_TRUE(AwaitLine(run, "ready"));
  ASSERT_TRUE(Cancel(run).ok());
  EXPECT_EQ(AwaitResult(run).signal(), SIGTERM);
}

TEST_F(ProcessTest, ARunThatTakesTooLongIsTimedOut) {
  process::Command command = Program({"/bin/sleep", "1000"});
  class Timed : public Executor {
   public:
    Timed(process::Command command, process::ProcessPool* pool)
        : command_(std::move(command)), pool_(pool) {}
    absl::Status Start(std::shared_ptr<Execution> run) const override {
      pool_->Start(command_, std::move(run));
      return absl::OkStatus();
    }

   private:
    const process::Command command_;
    process::ProcessPool* const pool_;
  };
  AddJob(Job("timed", std::make_shared<Timed>(command, &pool_)).Timeout(absl::Milliseconds(50)));
  EXPECT_EQ(AwaitResult(Start("timed")).state(), v1::RUN_STATE_TIMED_OUT);
}

TEST_F(ProcessTest, ACommandThatClosesItsOutputsGoesOn) {
  const std::string flag = directory_.path() + "/go";
  const std::string run = StartCommand(Shell(absl::StrCat(
      "echo $$; exec >&- 2>&-; while ! [ -e ", flag, " ]; do sleep 0.01; done; exit 5")));
  ASSERT_TRUE(Eventually([&] { return !ReadLog(run).empty(); }));
  int pid;
  ASSERT_TRUE(absl::SimpleAtoi(ReadLog(run).front().text(), &pid));
  ASSERT_TRUE(Eventually(
      [&] { return ::access(absl::StrCat("/proc/", pid, "/fd/1").c_str(), F_OK) != 0; }));
  EXPECT_EQ(Get(run).state(), v1::RUN_STATE_RUNNING);
  std::ofstream(flag).put('x');
  EXPECT_EQ(AwaitResult(run).exit_code(), 5);
}

TEST_F(ProcessTest, WhatItLeavesBehindMayFinishDuringTheDrain) {
  process::Command command = Shell("(sleep 0.05; echo late) & echo first");
  command.drain = absl::Minutes(1);
  const auto records = RunCommand(command);
  EXPECT_THAT(Lines(records), ElementsAre("first", "late"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(ProcessTest, WhatItLeavesBehindIsKilledAfterTheDrainAndTheLogSaysSo) {
  process::Command command = Shell("sleep 1000 & echo $!");
  command.drain = absl::Milliseconds(50);
  const auto records = RunCommand(command);
  ASSERT_EQ(Lines(records).size(), 2);
  EXPECT_THAT(Lines(records)[1],
              HasSubstr("1 process that it had left behind was killed 50ms later"));
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(IsAlive(std::stoi(Lines(records)[0])));
}

// In a session of its own, with all descriptors closed, and its parent gone.
TEST_F(ProcessTest, ADaemonDoesNotSurviveItsRun) {
  const std::string file = directory_.path() + "/pid";
  process::Command command =
      Program({"/usr/bin/python3", "-c",
               "import os, sys, time\n"
               "if os.fork() == 0:\n"
               "  os.setsid()\n"
               "  if os.fork() == 0:\n"
               "    os.closerange(0, 100)\n"
               "    open(sys.argv[1] + '.new', 'w').write(str(os.getpid()))\n"
               "    os.rename(sys.argv[1] + '.new', sys.argv[1])\n"
               "    time.sleep(1000)\n"
               "  os._exit(0)\n"
               "while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n",
               file});
  command.drain = absl::Milliseconds(50);
  EXPECT_EQ(ResultOf(command).state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(IsAlive(std::stoi(ReadFile(file))));
}

TEST_F(ProcessTest, KillingTheSupervisorEndsTheCommandAndTheRun) {
  const std::string run = StartCommand(Shell("echo $$; echo $PPID; exec sleep 1000"));
  ASSERT_TRUE(Eventually([&] { return ReadLog(run).size() == 2; }));
  const std::vector<std::string> pids = Lines(ReadLog(run));
  ASSERT_EQ(kill(std::stoi(pids[1]), SIGKILL), 0);
  const v1::RunResult result = AwaitResult(run);
  EXPECT_EQ(result.state(), v1::RUN_STATE_FAILED);
  EXPECT_THAT(result.error(), HasSubstr("supervised"));
  EXPECT_TRUE(Eventually([&] { return !IsAlive(std::stoi(pids[0])); }));
}

// They are nobody's children any more, and have neither a session nor a descriptor in common with
// the run.
TEST_F(ProcessTest, KillingTheSupervisorEndsDaemonsToo) {
  const std::string run = StartCommand(
      Shell("(setsid sleep 1000 <&- >&- 2>&- & echo $!); echo $PPID; exec sleep 1000"));
  const std::string other = StartCommand(Shell("echo $$; exec sleep 1000"));
  ASSERT_TRUE(Eventually([&] { return ReadLog(run).size() == 2 && ReadLog(other).size() == 1; }));
  const std::vector<std::string> pids = Lines(ReadLog(run));
  ASSERT_EQ(kill(std::stoi(pids[1]), SIGKILL), 0);
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_FAILED);
  EXPECT_FALSE(IsAlive(std::stoi(pids[0])));
  EXPECT_TRUE(IsAlive(std::stoi(Lines(ReadLog(other)).front())));
}

// JOBTAIL_PROCESS_RUNS=N for more.
int ManyRuns() {
  const char* const runs = getenv("JOBTAIL_PROCESS_RUNS");
  return runs ? std::atoi(runs) : 300;
}

// Zombies are children, too.
std::string Children() {
  std::string children;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    children += ReadFile(thread.path().string() + "/children");
  }
  return children;
}

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors)));
}

TEST_F(ProcessTest, NothingIsLeftAfterManyRuns) {
  RunCommand(Program({"/bin/echo", "x"}));  // what is opened once and stays
  const size_t descriptors = OpenDescriptors();
  constexpr int kAtOnce = 30;
  for (int done = 0; done < ManyRuns(); done += kAtOnce) {
    std::vector<std::string> runs;
    for (int i = 0; i < kAtOnce; ++i) runs.push_back(StartCommand(Program({"/bin/echo", "x"})));
    for (const std::string& run : runs) {
      ASSERT_EQ(AwaitLog(run).size(), 2);
      ASSERT_TRUE(Delete(run).ok());
    }
  }
  EXPECT_EQ(Children(), "");
  EXPECT_TRUE(Eventually([&] { return OpenDescriptors() <= descriptors; }));
}

TEST_F(ProcessTest, TwoHundredAtOnceDoNotMix) {
  std::vector<std::string> runs;
  for (int i = 0; i < 200; ++i) {
    runs.push_back(
        StartCommand(Shell(absl::StrCat("i=0; while [ $i -lt 100 ]; do echo ", i, " out $i; echo ",
                                        i, " err $i >&2; i=$((i+1)); done; exit ", i % 100))));
  }
  for (int i = 0; i < 200; ++i) {
    const auto records = AwaitLog(runs[static_cast<size_t>(i)]);
    std::string out, err;
    for (int line = 0; line < 100; ++line) {
      absl::StrAppend(&out, i, " out ", line, "\n");
      absl::StrAppend(&err, i, " err ", line, "\n");
    }
    EXPECT_EQ(Printed(records, v1::STREAM_STDOUT), out);
    EXPECT_EQ(Printed(records, v1::STREAM_STDERR), err);
    EXPECT_EQ(records.back().result().exit_code(), i % 100);
  }
}

}  // namespace
}  // namespace jobtail::testing
