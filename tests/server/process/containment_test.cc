// A command stays within its limits, and ends when it is to end, whatever it does to its
// supervisor.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/process/cgroup.h"
#include "server/process/descriptor_limit.h"
#include "tests/server/process/process_fixture.h"

namespace jobtail::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Not as a zombie either.
bool IsThere(int pid) {
  std::string state;
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::getline(file, state);
  return !state.empty() && state.find(") Z ") == std::string::npos;
}

class Containment : public ProcessTest {
 protected:
  // The run's lines as numbers, once there are so many.
  std::vector<int> Pids(const std::string& run, size_t count) {
    EXPECT_TRUE(Eventually([&] { return Lines(ReadLog(run)).size() >= count; }));
    std::vector<int> pids;
    for (const std::string& line : Lines(ReadLog(run))) pids.push_back(std::stoi(line));
    return pids;
  }
};

TEST_F(Containment, ACommandHasItsLimits) {
  process::Command command =
      Program({"/bin/bash", "-c", "ulimit -n; ulimit -v; ulimit -t; ulimit -f; ulimit -Hn"});
  command.limits.open_files = 50;
  command.limits.memory_bytes = int64_t{1} << 30;
  command.limits.cpu_time = absl::Minutes(2);
  command.limits.file_bytes = 1 << 20;
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("50", "1048576", "120", "1024", "50"));
}

TEST_F(Containment, ACommandThatTakesMoreMemoryThanItMayFails) {
  process::Command command =
      Program({"/usr/bin/python3", "-c", "print('begun', flush=True); x = bytearray(1 << 30)"});
  command.limits.memory_bytes = 300 << 20;
  const auto records = RunCommand(command);
  EXPECT_EQ(Printed(records, v1::STREAM_STDOUT), "begun\n");
  EXPECT_EQ(records.back().result().state(), v1::RUN_STATE_FAILED);
}

TEST_F(Containment, AUserHasNoMoreProcessesThanItsJobMay) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  process::Command command = Shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all");
  command.user = process::FindUser("games").value();
  command.limits.processes = 5;
  command.drain = absl::ZeroDuration();
  const auto records = RunCommand(command);
  EXPECT_THAT(Printed(records, v1::STREAM_STDERR), HasSubstr("Cannot fork"));
}

TEST_F(Containment, ALimitThatCannotBeSetIsAFailureThatSaysSo) {
  process::Command command = Program({"/bin/true"});
  command.limits.open_files = int64_t{1} << 40;  // less, since the server's own is
  EXPECT_EQ(ResultOf(command).state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(Containment, NothingGivesACommandNewPrivilegesUnlessItMayHaveThem) {
  process::Command command = Program({"/bin/grep", "NoNewPrivs", "/proc/self/status"});
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("NoNewPrivs:\t0"));
  command.new_privileges = false;
  EXPECT_THAT(Lines(RunCommand(command)), ElementsAre("NoNewPrivs:\t1"));
}

TEST_F(Containment, TheServersRaisedDescriptorLimitIsNotHandedDown) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit low{.rlim_cur = 321, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  process::RaiseDescriptorLimit();
  rlimit raised{};
  getrlimit(RLIMIT_NOFILE, &raised);
  EXPECT_EQ(raised.rlim_cur, before.rlim_max);
  EXPECT_THAT(Lines(RunCommand(Program({"/bin/bash", "-c", "ulimit -Sn; ulimit -Hn"}))),
              ElementsAre("321", before.rlim_max == RLIM_INFINITY ? "unlimited"
                                                                  : absl::StrCat(before.rlim_max)));
  setrlimit(RLIMIT_NOFILE, &before);
}

// A job of the server's own user can.
TEST_F(Containment, ACommandThatHasStoppedItsSupervisorIsCancelled) {
  process::Command command = Shell("kill -STOP $PPID; echo $$; exec sleep 1000");
  command.grace = absl::Milliseconds(50);
  const std::string run = StartCommand(command);
  const int pid = Pids(run, 1).front();
  ASSERT_TRUE(Cancel(run).ok());
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_CANCELLED);
  EXPECT_FALSE(IsThere(pid));
}

// It is woken up for that: nobody waits until it has to be killed.
TEST_F(Containment, ACommandThatHasStoppedItsSupervisorIsAskedToEndAllTheSame) {
  process::Command command = Shell(
      "trap 'echo asked; exit 0' TERM; kill -STOP $PPID; echo begun; "
      "while :; do sleep 0.01; done");
  command.grace = absl::Minutes(10);
  const std::string run = StartCommand(command);
  ASSERT_TRUE(AwaitLine(run, "begun"));
  ASSERT_TRUE(Cancel(run).ok());
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_CANCELLED);
  EXPECT_THAT(Lines(ReadLog(run)), Contains("asked"));
}

TEST_F(Containment, ACommandThatStopsItsSupervisorAgainAndAgainIsCancelled) {
  process::Command command =
      Shell("trap '' TERM; echo $$; while :; do kill -STOP $PPID; done 2>/dev/null");
  command.grace = absl::Milliseconds(50);
  command.drain = absl::Milliseconds(50);
  const std::string run = StartCommand(command);
  const int pid = Pids(run, 1).front();
  ASSERT_TRUE(Cancel(run).ok());
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_CANCELLED);
  EXPECT_TRUE(Eventually([&] { return !IsThere(pid); }));
}

// A daemon that nothing tells from others: not a descriptor, a session or a variable.
constexpr char kDisguised[] =
    "begun=$(mktemp); "
    "(env -i setsid sh -c 'echo $$; echo >$0; exec >&- 2>&- <&-; exec sleep 1000' $begun &) ; "
    "echo $$; until [ -s $begun ]; do sleep 0.01; done; rm $begun; "
    "kill -KILL $PPID; exec sleep 1000";

using Disguise = Containment;

TEST_F(Disguise, OfWhatHasKilledItsSupervisorHelpsNothingInAProgramThatAdoptsOrphans) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        process::AdoptOrphans();
        const std::string run = StartCommand(Shell(kDisguised));
        const std::vector<int> pids = Pids(run, 2);
        const v1::RunResult result = AwaitResult(run);
        const bool gone = Eventually([&] { return !IsThere(pids[0]) && !IsThere(pids[1]); });
        for (const int pid : pids) kill(pid, SIGKILL);
        _exit(gone && result.state() == v1::RUN_STATE_FAILED ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

// --- In control groups, where the system has them

class InCgroups : public Containment {
 protected:
  void SetUp() override {
    for (const char* mount : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
      if (::access((std::string(mount) + "/cgroup.procs").c_str(), W_OK) != 0) continue;
      parent_ = absl::StrCat(mount, "/jobtail-test-", getpid());
      if (mkdir(parent_.c_str(), 0755) == 0) break;
      parent_.clear();
    }
    if (parent_.empty()) GTEST_SKIP() << "no control groups that this user may make";
    auto cgroups = process::Cgroups::Open(parent_);
    if (!cgroups.ok()) GTEST_SKIP() << cgroups.status();
    pool_.UseCgroups(*std::move(cgroups));
  }
  void TearDown() override {
    if (!parent_.empty()) {
      EXPECT_TRUE(Eventually([&] { return rmdir(parent_.c_str()) == 0; })) << "groups are left";
    }
  }

  bool HasController(const std::string& name) const {
    std::ifstream file(parent_ + "/cgroup.controllers");
    std::string each;
    while (file >> each) {
      if (each == name) return true;
    }
    return false;
  }

  std::string parent_;
};

TEST_F(InCgroups, ACommandIsInAGroupOfItsRun) {
  const std::string run = StartCommand(Shell("grep '^0::' /proc/self/cgroup"));
  const auto records = AwaitLog(run);
  ASSERT_EQ(Lines(records).size(), 1u);
  EXPECT_THAT(Lines(records)[0], HasSubstr("/run-" + run));
  EXPECT_NE(::access(absl::StrCat(parent_, "/run-", run).c_str(), F_OK), 0) << "it is removed";
}

TEST_F(InCgroups, NothingOutlivesItsRun) {
  const std::string run = StartCommand(Shell(kDisguised));
  const std::vector<int> pids = Pids(run, 2);
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_FAILED);
  for (const int pid : pids) EXPECT_FALSE(IsThere(pid)) << "its result was told before";
  EXPECT_NE(::access(absl::StrCat(parent_, "/run-", run).c_str(), F_OK), 0) << "it is removed";
}

TEST_F(InCgroups, NothingStaysAsAZombieOfAProgramThatAdoptsOrphans) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        process::AdoptOrphans();
        const std::string run = StartCommand(Shell(kDisguised));
        const std::vector<int> pids = Pids(run, 2);
        AwaitResult(run);
        const bool gone = Eventually(
            [&] { return ::access(absl::StrCat("/proc/", pids[0]).c_str(), F_OK) != 0; });
        rmdir(parent_.c_str());
        _exit(gone ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(InCgroups, WhatAnEarlierServerHasLeftIsKilled) {
  const std::string group = parent_ + "/run-old";
  ASSERT_EQ(mkdir(group.c_str(), 0755), 0);
  const pid_t left = fork();
  if (left == 0) {
    const int fd = open((group + "/cgroup.procs").c_str(), O_WRONLY);
    static_cast<void>(!write(fd, "0", 1));
    while (true) pause();
  }
  const auto is_in = [&] {
    std::ifstream file(group + "/cgroup.procs");
    int pid = 0;
    return (file >> pid) && pid == left;
  };
  ASSERT_TRUE(Eventually(is_in));
  ASSERT_TRUE(process::Cgroups::Open(parent_).ok());
  int status;
  EXPECT_EQ(waitpid(left, &status, 0), left);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_NE(::access(group.c_str(), F_OK), 0);
}

// None of them takes as much as the run may have.
TEST_F(InCgroups, TheMemoryOfAllItsProcessesIsLimited) {
  if (!HasController("memory")) GTEST_SKIP() << "no controller of memory";
  process::Command command = Shell(
      "for i in 1 2 3 4 5; do python3 -c 'import time; x = bytearray(30 << 20); "
      "time.sleep(1000)' & done; wait; echo survived");
  command.limits.memory_bytes = 100 << 20;
  const auto records = RunCommand(command);
  EXPECT_EQ(records.back().result().error(), "reached its memory limit and was killed");
  EXPECT_THAT(Lines(records), Not(Contains("survived"))) << "all of the run is killed";
}

// A group above that of the run, as a container is one; and one beside it, where no more can be
// told than that the system has killed something.
TEST_F(InCgroups, WhatIsKilledForWantOfTheSystemsMemorySaysSo) {
  if (!HasController("memory")) GTEST_SKIP() << "no controller of memory";
  const std::string greedy = "python3 -c 'x = bytearray(300 << 20)'";
  const std::string other = parent_ + "/other";
  ASSERT_EQ(mkdir(other.c_str(), 0755), 0);
  std::ofstream(other + "/memory.max") << (60 << 20);
  EXPECT_THAT(
      ResultOf(Shell(absl::StrCat("echo $$ > ", other, "/cgroup.procs; exec ", greedy))).error(),
      HasSubstr("; probably for want of memory, for which the system killed 1 process"));
  EXPECT_TRUE(Eventually([&] { return rmdir(other.c_str()) == 0; }));
  std::ofstream(parent_ + "/memory.max") << (60 << 20);
  EXPECT_EQ(ResultOf(Shell("exec " + greedy)).error(),
            "was killed: the system, or the container, had no memory left");
  EXPECT_THAT(ResultOf(Shell("kill -9 $$")).error(), ::testing::EndsWith("SIGKILL: Killed)"));
}

TEST_F(InCgroups, WhatStaysWithinItsMemorySucceeds) {
  if (!HasController("memory")) GTEST_SKIP() << "no controller of memory";
  process::Command command = Program({"/usr/bin/python3", "-c", "x = bytearray(50 << 20)"});
  command.limits.memory_bytes = 100 << 20;
  EXPECT_EQ(ResultOf(command).state(), v1::RUN_STATE_SUCCEEDED);
}

// Of root's as well, which no other limit holds.
TEST_F(InCgroups, TheNumberOfItsProcessesIsLimited) {
  if (!HasController("pids")) GTEST_SKIP() << "no controller of processes";
  process::Command command = Shell("for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all");
  command.limits.processes = 5;
  command.drain = absl::ZeroDuration();
  EXPECT_THAT(Printed(RunCommand(command), v1::STREAM_STDERR), HasSubstr("Cannot fork"));
}

// As systemd does it (Delegate=yes): the server is in a group that is marked as its own.
TEST_F(InCgroups, AGroupThatWasDelegatedIsTakenByItself) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mark it";
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "what is forked beside other threads may find the sanitizer's heap locked";
#endif
  const std::string group = parent_ + "/delegated";
  ASSERT_EQ(mkdir(group.c_str(), 0755), 0);
  const auto serve = [&group] {
    std::ofstream(group + "/cgroup.procs") << getpid() << std::flush;
    const auto before = process::Cgroups::Open("auto");
    if (!before.ok() || before->has_value()) return 1;
    if (setxattr(group.c_str(), "trusted.delegate", "1", 1, 0) != 0) return 2;
    const auto taken = process::Cgroups::Open("auto");
    if (!taken.ok() || !taken->has_value()) return 3;
    return ::access((group + "/server/cgroup.procs").c_str(), F_OK) == 0 ? 0 : 4;
  };
  const pid_t server = fork();
  if (server == 0) _exit(serve());
  int status;
  EXPECT_EQ(waitpid(server, &status, 0), server);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(Eventually([&] { return rmdir((group + "/server").c_str()) == 0; }));
  EXPECT_EQ(rmdir(group.c_str()), 0);
}

TEST(Cgroups, ADirectoryThatIsNoneIsRefused) {
  EXPECT_FALSE(process::Cgroups::Open("/tmp").ok());
  EXPECT_FALSE(process::Cgroups::Open("none")->has_value());
}

}  // namespace
}  // namespace jobtail::testing
