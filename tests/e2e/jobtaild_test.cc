// jobtaild: commands from a config file, and what becomes of them when somebody is killed.

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;
using jobtail::testing::IsAlive;
using jobtail::testing::Outcome;
using jobtail::testing::ReadFile;
using jobtail::testing::Subprocess;
using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class JobtaildTest : public ::testing::Test {
 protected:
  explicit JobtaildTest() { WriteFile(config_, ""); }

  void Serve(const std::string& config, std::vector<std::string> flags = {}) {
    WriteFile(config_, config);
    flags.push_back("--config=" + config_);
    server_ = std::make_unique<DemoServer>(std::move(flags), JOBTAILD);
  }

  Outcome Check(const std::string& config) {
    WriteFile(config_, config);
    return jobtail::testing::Run({.command = {JOBTAILD, "--config=" + config_, "--check-config"}});
  }

  v1::JobService::Stub& stub() { return server_->stub(); }

  std::vector<std::string> LinesNow(const std::string& run) {
    v1::TailLogRequest request;
    request.set_run(run);
    return Tail(stub(), request).Lines();
  }

  // Starts a job that prints a number first, and returns that.
  pid_t StartAndReadPid(const std::string& job) {
    const std::string run = StartRun(stub(), job);
    EXPECT_TRUE(Eventually([&] { return !LinesNow(run).empty(); }));
    return std::stoi(LinesNow(run).front());
  }

  void KillServer() {
    server_->process().Signal(SIGKILL);
    server_->process().Wait();
  }

  // What a run of the job prints, if there is such a job.
  std::vector<std::string> LinesOf(const std::string& job) {
    grpc::ClientContext context;
    const auto reader = stub().RunJob(&context, RunRequest(job));
    return Transcript::Read(*reader).Lines();
  }

  TemporaryDirectory directory_;
  const std::string config_ = directory_.path() + "/jobs.txt";
  std::unique_ptr<DemoServer> server_;
};

TEST_F(JobtaildTest, ItServesTheJobsOfItsFile) {
  Serve(R"(job { name: "greet" command: "echo" argument: "Hello, {whom}!"
               parameter { name: "whom" default: "world" } })");
  EXPECT_THAT(LinesOf("greet"), ElementsAre("Hello, world!"));
}

// Into a pipe, the bytes as they were printed, or the rows as they were in the end.
TEST_F(JobtaildTest, AProgramThatDrawsRowsIsReadInAPipeAsOnATerminal) {
  Serve(R"(job { name: "pull" command: "sh" tty: true argument: "-c"
                 argument: "printf 'a: waiting\\nb: waiting\\n'; for i in 25 50; do printf '\\033[2A\\033[2Ka: %s%%\\r\\033[2B' $i; done; printf '\\033[1A\\033[2K\\033[32mb: done\\033[m\\n'; test -t 1 && echo end" })");
  const auto jobtail = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {JOBTAIL_COMMAND, "--server=" + server_->address()});
    return jobtail::testing::Run({.command = std::move(arguments)});
  };
  const Outcome run = jobtail({"run", "--rendered", "pull"});
  EXPECT_EQ(run.out, "a: 50%\nb: done\nend\n");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  const std::string id = jobtail({"run", "--detach", "pull"}).out.substr(0, 36);
  EXPECT_EQ(jobtail({"tail", "--rendered", id}).out, "a: 50%\nb: done\nend\n");
  EXPECT_EQ(jobtail({"tail", "--rendered", "--color=always", id}).out,
            "a: 50%\n\x1b[32mb: done\x1b[m\nend\n");
  EXPECT_EQ(jobtail({"export", "--rendered", id}).out, "a: 50%\nb: done\nend\n");
  EXPECT_THAT(jobtail({"tail", id}).out, HasSubstr("a: waiting\nb: waiting\n\x1b[2A"));
}

TEST_F(JobtaildTest, AFileIsCheckedWithoutServing) {
  const Outcome right = Check("job { name: \"a\" command: \"true\" }");
  EXPECT_EQ(right.exit_code, 0);
  EXPECT_THAT(right.out, HasSubstr("right; 1 job"));
  const Outcome wrong = Check("job {\n  name: \"a\"\n  comand: \"true\"\n}");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr(config_ + ":3:9: "));
  EXPECT_THAT(wrong.err, HasSubstr("did you mean command?"));
}

TEST_F(JobtaildTest, AFileThatCannotBeReadIsWrong) {
  for (const std::string file : {"/nowhere/jobs.txt", "/tmp"}) {
    const Outcome outcome =
        jobtail::testing::Run({.command = {JOBTAILD, "--config=" + file, "--check-config"}});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(file + ": cannot be read: "));
  }
}

TEST_F(JobtaildTest, ItDoesNotServeAWrongFile) {
  WriteFile(config_, "job {}");
  const Outcome outcome = jobtail::testing::Run(
      {.command = {JOBTAILD, "--grpc-address=127.0.0.1:0", "--config=" + config_}});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr(config_ + ":1:1: "));
}

TEST_F(JobtaildTest, TheExampleIsRight) {
  const Outcome outcome = jobtail::testing::Run(
      {.command = {JOBTAILD, "--config=" JOBTAIL_EXAMPLES "/config/jobs.txt", "--check-config"}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

// Whoever tries the examples is often root, in a container for instance.
TEST_F(JobtaildTest, TheExamplesSucceedAndNoneOfThemIsRoot) {
  Serve(ReadFile(JOBTAIL_EXAMPLES "/config/jobs.txt") +
        "job { name: \"who\" command: \"id\" argument: \"-un\" }");
  if (geteuid() == 0) {
    EXPECT_THAT(LinesOf("who"), ElementsAre("nobody"));
  }
  const std::map<std::string, Parameters> runs = {
      {"ticker", {{"count", "1"}}},           {"build", {}},
      {"training", {{"epochs", "2"}}},        {"parameters", {}},
      {"sizes", {{"directory", "/usr/bin"}}}, {"login", {{"token", "of somebody"}}}};
  for (const auto& [job, parameters] : runs) {
    grpc::ClientContext context;
    const auto reader = stub().RunJob(&context, RunRequest(job, parameters));
    const Transcript run = Transcript::Read(*reader);
    EXPECT_EQ(run.result().state(), v1::RUN_STATE_SUCCEEDED) << job << run.result().DebugString();
    EXPECT_FALSE(run.Lines().empty()) << job;
  }
  grpc::ClientContext context;
  v1::ListJobsResponse jobs;
  ASSERT_TRUE(stub().ListJobs(&context, {}, &jobs).ok());
  EXPECT_EQ(static_cast<size_t>(jobs.jobs_size()), runs.size() + 1) << "one is not tried";
}

TEST_F(JobtaildTest, HangupReadsTheFileAgainAndRunsGoOnAsTheyWere) {
  const std::string go = directory_.path() + "/go";
  Serve("job { name: \"old\" command: \"sh\" argument: [\"-c\", \"echo begun; while ! [ -e " + go +
        " ]; do sleep 0.01; done; echo old\"] }");
  const std::string run = StartRun(stub(), "old");
  ASSERT_TRUE(Eventually([&] { return !LinesNow(run).empty(); }));
  WriteFile(config_, R"(job { name: "new" command: "echo" argument: "new" }
                        job { name: "old" command: "echo" argument: "changed" })");
  server_->process().Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return LinesOf("new") == std::vector<std::string>{"new"}; }));
  EXPECT_THAT(LinesOf("old"), ElementsAre("changed"));
  WriteFile(go, "");
  WaitUntilEnded(stub(), run);
  EXPECT_THAT(LinesNow(run), ElementsAre("begun", "old"));
}

TEST_F(JobtaildTest, HangupWithAWrongFileChangesNothingAndSaysWhy) {
  Serve("job { name: \"a\" command: \"echo\" argument: \"a\" }");
  WriteFile(config_, "job { name: \"b\" }\n");
  server_->process().Signal(SIGHUP);
  EXPECT_THAT(LinesOf("a"), ElementsAre("a"));
  server_->process().Signal(SIGTERM);
  const Outcome outcome = server_->process().Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("stay as they are"));
  EXPECT_THAT(outcome.err, HasSubstr(config_ + ":1:1: job \"b\" has no command"));
}

TEST_F(JobtaildTest, CommandsDoNotSurviveAServerThatIsKilled) {
  Serve(R"(job { name: "a" command: "sh"
                 argument: ["-c", "trap '' TERM HUP INT; echo $$; while :; do sleep 0.01; done"] })",
        {"--data-dir=" + directory_.path() + "/data"});
  const pid_t pid = StartAndReadPid("a");
  KillServer();
  EXPECT_TRUE(Eventually([&] { return !IsAlive(pid); }));
}

TEST_F(JobtaildTest, NeitherDoWhatTheyHaveStarted) {
  Serve(R"(job { name: "a" command: "sh" argument: ["-c", "setsid sleep 1000 & echo $!; wait"] })");
  const pid_t pid = StartAndReadPid("a");
  KillServer();
  EXPECT_TRUE(Eventually([&] { return !IsAlive(pid); }));
}

TEST_F(JobtaildTest, ACommandSurvivesIfItsJobSaysSo) {
  const std::string file = directory_.path() + "/done";
  Serve(
      "job { name: \"a\" command: \"sh\" outlives_server: true argument: [\"-c\", \"echo $$; "
      "while [ -e " +
      config_ + " ]; do echo more; sleep 0.01; done; seq 1 100000; echo done > " + file + "\"] }");
  const pid_t pid = StartAndReadPid("a");
  KillServer();
  EXPECT_TRUE(IsAlive(pid));
  std::remove(config_.c_str());
  EXPECT_TRUE(Eventually([&] { return ReadFile(file) == "done\n"; }));
  EXPECT_TRUE(Eventually([&] { return !IsAlive(pid); }));
}

TEST_F(JobtaildTest, ARunGoesOnWhenItsClientIsKilled) {
  const std::string go = directory_.path() + "/go";
  Serve("job { name: \"a\" command: \"sh\" argument: [\"-c\", \"echo begun; while ! [ -e " + go +
        " ]; do sleep 0.01; done; echo end\"] }");
  Subprocess client({.command = {JOBTAIL_COMMAND, "--server=" + server_->address(), "run", "a"}});
  ASSERT_TRUE(client.WaitForOutput("begun\n"));
  client.Signal(SIGKILL);
  client.Wait();
  WriteFile(go, "");
  grpc::ClientContext context;
  v1::ListRunsResponse runs;
  ASSERT_TRUE(stub().ListRuns(&context, {}, &runs).ok());
  ASSERT_EQ(runs.runs_size(), 1);
  WaitUntilEnded(stub(), runs.runs(0).id());
  EXPECT_EQ(GetRun(stub(), runs.runs(0).id()).state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(JobtaildTest, StoppingTheServerStopsItsCommands) {
  Serve(R"(job { name: "a" command: "sh" argument: ["-c", "echo $$; exec sleep 1000"] })");
  const pid_t pid = StartAndReadPid("a");
  server_->process().Signal(SIGTERM);
  EXPECT_EQ(server_->process().Wait().exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return !IsAlive(pid); }));
}

// Where the system has control groups. By sockets and commands: the machine on which they are given
// away has no network.
TEST(JobtaildInCgroups, EachRunHasAGroupWithItsLimits) {
  const std::string parent = absl::StrCat("/sys/fs/cgroup/jobtail-test-", getpid());
  const bool has_groups =
      ::access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0 && mkdir(parent.c_str(), 0755) == 0;
  if (!has_groups) GTEST_SKIP() << "no control groups that this user may make";
  const TemporaryDirectory directory;
  const std::string config = directory.path() + "/jobs.txt";
  WriteFile(config, R"(job { name: "where" command: "sh"
                             argument: "-c"
                             argument: "group=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); "
                                       "echo $group; cat $group/memory.max $group/pids.max"
                             limits { memory: "100M" processes: 50 } })");
  const std::string address = "unix:" + directory.path() + "/grpc.sock";
  Subprocess server({.command = {JOBTAILD, "--config=" + config, "--cgroup=" + parent,
                                 "--grpc-address=" + address, "--http-address="}});
  ASSERT_EQ(server.ReadLine(), "grpc " + address);
  const Outcome run =
      jobtail::testing::Run({.command = {JOBTAIL_COMMAND, "--server=" + address, "run", "where"},
                             .environment = {"JOBTAIL_CONFIG=/dev/null"}});
  EXPECT_THAT(run.out, AllOf(StartsWith(parent + "/run-"), HasSubstr("\n104857600\n50\n")))
      << run.err;
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait().exit_code, 0);
  EXPECT_EQ(rmdir(parent.c_str()), 0) << "groups are left";
}

}  // namespace
}  // namespace jobtail::e2e
