// Jobs whose functions run in a process of their own. The child is this test program: its main,
// below, goes another way then.

#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/run/engine.h"
#include "tests/e2e/child_process_jobs.h"
#include "tests/e2e/fixture.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;
using jobtail::testing::IsAlive;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kLeaveEarly[] = "CHILD_PROCESS_TEST_LEAVES_EARLY";

// A server without Daemon.
class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcessTest() { AddJobs(server_); }

  Engine& Serve() {
    const absl::Status started = server_.Start();
    EXPECT_TRUE(started.ok()) << started;
    return server_.engine();
  }

  std::string Create(const std::string& job, const Parameters& parameters = {}) {
    v1::CreateRunRequest request;
    request.set_job(job);
    request.mutable_parameters()->insert(parameters.begin(), parameters.end());
    const absl::StatusOr<v1::Run> run = server_.engine().CreateRun(request);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? run->id() : "";
  }

  void Cancel(const std::string& run) {
    v1::CancelRunRequest request;
    request.set_run(run);
    EXPECT_TRUE(server_.engine().CancelRun(request).ok());
  }

  v1::Run Get(const std::string& run) {
    v1::GetRunRequest request;
    request.set_run(run);
    return server_.engine().GetRun(request).value_or(v1::Run());
  }

  Transcript Read(const std::string& run, bool follow = true) {
    v1::TailLogRequest request;
    request.set_run(run);
    request.set_follow(follow);
    const auto cursor = server_.engine().TailLog(request);
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    Transcript transcript;
    for (const v1::LogLine& line : jobtail::testing::ReadToEnd(**cursor)) transcript.Add(line);
    return transcript;
  }

  Transcript Run(const std::string& job, const Parameters& parameters = {}) {
    Serve();
    return Read(Create(job, parameters));
  }

  // What the run has printed first, once it has.
  std::string AwaitFirstLine(const std::string& run) {
    std::string line;
    EXPECT_TRUE(Eventually([&] {
      const std::vector<std::string> lines = Read(run, /*follow=*/false).Lines();
      if (lines.empty()) return false;
      line = lines.front();
      return true;
    }));
    return line;
  }

  Server server_{{.grpc_address = "127.0.0.1:0", .http = {.address = ""}}};
};

class Crashes : public ChildProcessTest, public ::testing::WithParamInterface<int> {};

TEST_P(Crashes, EndsTheRunWithItsSignalAndNothingElse) {
  const Transcript crashed = Run("crash", {{"signal", absl::StrCat(GetParam())}});
  EXPECT_EQ(crashed.result().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(crashed.result().signal(), GetParam());
  EXPECT_EQ(crashed.result().exit_code(), 128 + GetParam());
  EXPECT_THAT(crashed.result().error(), HasSubstr(absl::StrCat("ended by signal ", GetParam())));
  std::string all;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&all, "line ", i, "\n");
  EXPECT_EQ(crashed.Printed(v1::STREAM_STDOUT), all + "last line\n");
  EXPECT_EQ(Read(Create("silent")).result().state(), v1::RUN_STATE_SUCCEEDED);
}

INSTANTIATE_TEST_SUITE_P(BySignal, Crashes, ::testing::Values(SIGSEGV, SIGABRT, SIGKILL, SIGFPE));

TEST_F(ChildProcessTest, LosesNoLineOfAStreamWithABufferOfItsOwn) {
  EXPECT_THAT(Run("crash-unsynchronized").Lines(),
              ElementsAre("of a stream with a buffer of its own"));
}

TEST_F(ChildProcessTest, AnExceptionThatNobodyCatchesIsACrash) {
  const Transcript run = Run("terminates");
  EXPECT_EQ(run.result().signal(), SIGABRT);
  EXPECT_THAT(run.Printed(v1::STREAM_STDERR), HasSubstr("what():  no"));
}

TEST_F(ChildProcessTest, HasParametersOfEveryType) {
  Serve();
  const std::string run = Create("parameters", {{"string", "a\nb \"'$()\xE2\x9C\x93"},
                                                {"int", "-9223372036854775808"},
                                                {"double", "0.1"},
                                                {"bool", "true"},
                                                {"duration", "1h0.000000001s"},
                                                {"path", "/srv/a b"},
                                                {"enum", "b"}});
  EXPECT_EQ(Read(run).Printed(v1::STREAM_STDOUT),
            "a\nb \"'$()\xE2\x9C\x93\n-9223372036854775808\n1\n1\n1h0.000000001s\n/srv/a b\nb\n"
            "as declared\n" +
                run + "\n");
}

TEST_F(ChildProcessTest, HasParametersOfAMegabyte) {
  const std::string large(1'000'000, 'x');
  const Transcript run = Run("parameters", {{"string", large},
                                            {"int", "1"},
                                            {"double", "1"},
                                            {"bool", "false"},
                                            {"duration", "1s"},
                                            {"path", "/"},
                                            {"enum", "a"}});
  EXPECT_EQ(run.Printed(v1::STREAM_STDOUT).substr(0, large.size() + 1), large + "\n");
}

TEST_F(ChildProcessTest, ASecretIsNeitherInArgumentsNorEnvironment) {
  EXPECT_EQ(Run("secret", {{"secret", "hunter2 hunter2"}}).Printed(v1::STREAM_STDOUT),
            "1500\nit is ***\n");
}

TEST_F(ChildProcessTest, AStatusArrivesWithItsText) {
  const Transcript run = Run("status");
  EXPECT_EQ(run.result().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(run.result().exit_code(), 1);
  EXPECT_EQ(run.result().error(), "NOT_FOUND: no such valve");
}

TEST_F(ChildProcessTest, AnExceptionArrivesWithItsText) {
  EXPECT_EQ(Run("throws").result().error(), "exception: the valve is ? stuck");
}

TEST_F(ChildProcessTest, AnExitCodeIsNotCutToAByte) {
  EXPECT_EQ(Run("code").result().exit_code(), 300);
}

TEST_F(ChildProcessTest, ExitingIsNotReturning) {
  const Transcript run = Run("exits");
  EXPECT_EQ(run.result().state(), v1::RUN_STATE_FAILED);
  EXPECT_THAT(run.result().error(), HasSubstr("before its function returned"));
}

TEST_F(ChildProcessTest, AJobMayEndItsThread) {
  EXPECT_THAT(Run("ends-thread").result().error(), HasSubstr("ended its own thread"));
}

TEST_F(ChildProcessTest, CancelAsksTheStopToken) {
  Serve();
  const std::string run = Create("waits");
  AwaitFirstLine(run);
  Cancel(run);
  const Transcript log = Read(run);
  EXPECT_EQ(log.Lines().back(), "asked to stop");
  EXPECT_EQ(log.result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(log.result().signal(), 0);
}

TEST_F(ChildProcessTest, CancelIsHeardWhileTheProcessStarts) {
  Serve();
  const std::string run = Create("waits");
  Cancel(run);
  const Transcript log = Read(run);
  EXPECT_EQ(log.result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(log.result().signal(), 0);
}

TEST_F(ChildProcessTest, WhoDoesNotListenIsKilledAfterTheGrace) {
  Serve();
  const std::string run = Create("ignores");
  const pid_t pid = std::stoi(AwaitFirstLine(run).substr(strlen("waiting ")));
  Cancel(run);
  const Transcript log = Read(run);
  EXPECT_EQ(log.result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(log.result().signal(), SIGKILL);
  EXPECT_THAT(log.result().error(), HasSubstr("did not end within 50ms"));
  EXPECT_FALSE(IsAlive(pid));
}

TEST_F(ChildProcessTest, ProgressArrives) {
  Serve();
  const std::string run = Create("waits");
  EXPECT_TRUE(Eventually([&] { return Get(run).has_progress(); }));
  EXPECT_EQ(Get(run).progress().fraction(), 0.25);
  EXPECT_EQ(Get(run).progress().text(), "a quarter");
  Cancel(run);
  Read(run);
}

TEST_F(ChildProcessTest, OfMuchProgressTheLastStateArrives) {
  Serve();
  const std::string run = Create("progress");
  EXPECT_TRUE(Eventually([&] { return Get(run).progress().fraction() == 1; }));
  EXPECT_EQ(Get(run).progress().text(), "100000");
  Cancel(run);
  Read(run);
}

TEST_F(ChildProcessTest, TextWithoutEndIsShownSoon) {
  Serve();
  const std::string run = Create("hesitates");
  EXPECT_EQ(AwaitFirstLine(run), "password:");
  Cancel(run);
  Read(run);
}

TEST_F(ChildProcessTest, LeavesNoProcessBehind) {
  const Transcript run = Run("leaves-process");
  EXPECT_EQ(run.result().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(IsAlive(std::stoi(run.Lines().front())));
  EXPECT_THAT(run.Lines().back(), HasSubstr("the job has ended; 1 process"));
}

TEST_F(ChildProcessTest, ProgramsThatItStartsInheritNothingOfThat) {
  EXPECT_THAT(Run("starts").Lines(),
              ElementsAre("job starts, child 0", "SigBlk:\t0000000000000000", "4", "signal 15"));
}

TEST_F(ChildProcessTest, ExactOrderIsExact) {
  std::vector<std::string> all;
  for (int i = 0; i < 500; ++i) all.push_back(absl::StrCat(i));
  EXPECT_EQ(Run("alternates").Lines(), all);
}

TEST_F(ChildProcessTest, TheResultHasWhatTheProcessUsed) {
  const v1::RunResult result = Run("silent").result();
  EXPECT_GT(result.usage().peak_memory_bytes(), 1 << 20);
  EXPECT_TRUE(result.usage().has_user_time());
}

TEST_F(ChildProcessTest, FiftyAtOnceDoNotMix) {
  Serve();
  std::vector<std::string> runs;
  for (int i = 0; i < 50; ++i) runs.push_back(Create("counts", {{"number", absl::StrCat(i)}}));
  for (int i = 0; i < 50; ++i) {
    const Transcript log = Read(runs[i]);
    EXPECT_EQ(log.Printed(v1::STREAM_STDOUT), absl::StrCat("call 1 of ", i, "\n"));
    EXPECT_EQ(log.result().state(), v1::RUN_STATE_SUCCEEDED) << log.result().ShortDebugString();
  }
}

TEST_F(ChildProcessTest, AJobThatTheChildLacksIsAClearError) {
  ASSERT_TRUE(server_.AddJob(Job("only-here", [](JobContext&) {}).InChildProcess()).ok());
  EXPECT_THAT(Run("only-here").result().error(),
              HasSubstr("job only-here is not there in the child process"));
}

TEST_F(ChildProcessTest, AJobThatComesAfterStartIsRefused) {
  Serve();
  const absl::Status added = server_.AddJob(Job("late", [](JobContext&) {}).InChildProcess());
  EXPECT_EQ(added.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(added.message()), HasSubstr("add it before that"));
}

// In the child, AddTo does not return either.
TEST_F(ChildProcessTest, WorksForAServerThatIsThereAlready) {
  grpc::ServerBuilder builder;
  ASSERT_TRUE(server_.AddTo(&builder).ok());
  EXPECT_EQ(Read(Create("code")).result().exit_code(), 300);
}

TEST(ChildProcess, AProgramThatEndsBeforeItServesIsAClearError) {
  setenv(kLeaveEarly, "1", 1);
  const absl::Cleanup restore = [] { unsetenv(kLeaveEarly); };
  Server server({.grpc_address = "127.0.0.1:0"});
  AddJobs(server);
  v1::RunJobRequest request;
  request.set_job("silent");
  const auto started = server.engine().RunJob(request);
  ASSERT_TRUE(started.ok()) << started.status();
  Transcript log;
  for (const auto& line : jobtail::testing::ReadToEnd(*started->cursor)) log.Add(line);
  EXPECT_THAT(log.Lines(), ElementsAre("no database"));
  EXPECT_EQ(log.result().exit_code(), 4);
  EXPECT_THAT(log.result().error(), HasSubstr("did not come to starting its server"));
}

TEST(ChildProcess, TheVariableAloneMakesNoChild) {
  const jobtail::testing::Outcome outcome = jobtail::testing::Run(
      {.command = {"/usr/bin/env", "JOBTAIL_CHILD=1", JOBTAIL_DEMO, "--grpc-address=nowhere"}});
  EXPECT_THAT(outcome.err, HasSubstr("give HOST:PORT"));
}

// Through Daemon, whose child also has the flags.
TEST(ChildProcess, OfTheDemoCrashesAlone) {
  DemoServer demo;
  const Transcript run = Tail(demo.stub(), Follow(StartRun(demo.stub(), "segfaults")));
  EXPECT_EQ(run.result().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(run.Printed(v1::STREAM_STDOUT), "Reading what is not there\n");
  const auto say = StartRun(demo.stub(), "say", {{"text", "still here"}});
  EXPECT_THAT(Tail(demo.stub(), Follow(say)).Lines(), ElementsAre("still here"));
}

// Gets as far as a program's main does.
int ChildMain() {
  std::ios_base::sync_with_stdio(getenv("JOBTAIL_JOB") != std::string("crash-unsynchronized"));
  if (getenv(kLeaveEarly)) {
    std::cerr << "no database" << std::endl;
    return 4;
  }
  Server server;
  AddJobs(server);
  server.Start().IgnoreError();
  return 1;
}

}  // namespace
}  // namespace jobtail::e2e

int main(int argc, char** argv) {
  if (jobtail::Server::InChildProcess()) return jobtail::e2e::ChildMain();
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
