// A server whose log nobody reads, and one that is the first process of a container.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;
using jobtail::testing::Outcome;
using jobtail::testing::Subprocess;
using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;

// A jobtaild whose standard error is a pipe of the test's.
class LogPipe : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(mkfifo(pipe_.c_str(), 0600), 0);
    reader_ = open(pipe_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader_, 0);
    WriteFile(config_, R"(job { name: "a" command: "true" })");
    server_ = std::make_unique<Subprocess>(Subprocess::Options{
        .command = {"/bin/sh", "-c", "exec \"$@\" 2>\"$0\"", pipe_, JOBTAILD,
                    "--grpc-address=127.0.0.1:0", "--http-address=", "--config=" + config_}});
    ASSERT_EQ(server_->ReadLine().value_or("").substr(0, 5), "grpc ");
    WriteFile(config_, "job {");
  }

  ~LogPipe() override {
    if (reader_ >= 0) close(reader_);
  }

  void NobodyReads() {
    close(reader_);
    reader_ = -1;
  }

  TemporaryDirectory directory_;
  const std::string pipe_ = directory_.path() + "/log";
  const std::string config_ = directory_.path() + "/jobs.txt";
  int reader_ = -1;
  std::unique_ptr<Subprocess> server_;
};

TEST_F(LogPipe, ThatNobodyReadsAnyMoreDoesNotEndTheServer) {
  NobodyReads();
  server_->Signal(SIGHUP);  // the file is wrong: something is said
  server_->Signal(SIGTERM);
  const Outcome outcome = server_->Wait();
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST_F(LogPipe, ThatIsFullHoldsNothingUp) {
  const auto bytes = [&] {  // how much waits to be read
    int count = 0;
    ioctl(reader_, FIONREAD, &count);
    return count;
  };
  ASSERT_TRUE(Eventually([&] {
    server_->Signal(SIGHUP);
    return bytes() > 60'000;
  }));
  for (int i = 0; i < 100; ++i) server_->Signal(SIGHUP);
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait().exit_code, 0);
}

struct Process {
  std::string name;
  char state = ' ';
  pid_t parent = 0;
};

std::map<pid_t, Process> Processes() {
  std::map<pid_t, Process> processes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const size_t begin = stat.find('(');
    const size_t end = stat.rfind(')');
    if (begin == std::string::npos || end == std::string::npos) continue;
    Process process{stat.substr(begin + 1, end - begin - 1), stat[end + 2], 0};
    process.parent = std::stoi(stat.substr(end + 4));
    processes.emplace(std::stoi(pid), process);
  }
  return processes;
}

// All that have come from `ancestor`, without itself.
std::map<pid_t, Process> DescendantsOf(pid_t ancestor) {
  const std::map<pid_t, Process> all = Processes();
  std::map<pid_t, Process> found;
  for (bool more = true; more;) {
    more = false;
    for (const auto& [pid, process] : all) {
      if (process.parent != ancestor && !found.contains(process.parent)) continue;
      more |= found.emplace(pid, process).second;
    }
  }
  return found;
}

std::vector<std::string> AsProcessOne(std::vector<std::string> command) {
  const std::vector<std::string> wrapper = {
      "/usr/bin/unshare", "--user",       "--map-root-user", "--pid",
      "--fork",           "--mount-proc", "--kill-child"};
  command.insert(command.begin(), wrapper.begin(), wrapper.end());
  return command;
}

TEST(ProcessOne, LeavesNoZombies) {
  if (jobtail::testing::Run({.command = AsProcessOne({"/bin/true"})}).exit_code != 0) {
    GTEST_SKIP() << "no namespaces of processes here";
  }
  const TemporaryDirectory directory;
  const std::string config = directory.path() + "/jobs.txt";
  WriteFile(config,
            R"(job { name: "daemons" command: "sh"
                     argument: ["-c", "(setsid sleep 100 &); echo begun; sleep 100"] })");
  Subprocess server({.command = AsProcessOne({JOBTAILD, "--grpc-address=127.0.0.1:0",
                                              "--http-address=", "--config=" + config})});
  const std::string line = server.ReadLine().value_or("");
  ASSERT_EQ(line.substr(0, 5), "grpc ");
  const auto channel = OpenChannel(line.substr(5));
  const auto stub = v1::JobService::NewStub(channel);
  const std::string run = StartRun(*stub, "daemons");
  const auto has = [&](const std::string& name) {
    for (const auto& [pid, process] : DescendantsOf(server.pid())) {
      if (process.name == name) return pid;
    }
    return pid_t{0};
  };
  ASSERT_TRUE(Eventually([&] { return has("sleep") != 0; }));
  ASSERT_NE(has("jobtail-run"), 0);
  kill(has("jobtail-run"), SIGKILL);
  WaitUntilEnded(*stub, run);
  EXPECT_TRUE(Eventually([&] {
    for (const auto& [pid, process] : DescendantsOf(server.pid())) {
      if (process.state == 'Z' || process.name == "sleep") return false;
    }
    return true;
  }));
  // Signals reach the server behind it, and its end is the container's.
  for (const auto& [pid, process] : DescendantsOf(server.pid())) {
    if (process.parent == server.pid()) kill(pid, SIGTERM);
  }
  EXPECT_EQ(server.Wait().exit_code, 0);
}

}  // namespace
}  // namespace jobtail::e2e
