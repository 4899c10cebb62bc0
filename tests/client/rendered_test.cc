// The command with --rendered, in a pipe.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "fake_server.h"
#include "process.h"

namespace jobtail::client {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class RenderedTest : public ::testing::Test {
 protected:
  RenderedTest() {
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
    server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
      run->set_id(request.run());
      run->set_job("job");
      return grpc::Status::OK;
    };
    server_.on_create_run = [](const auto&, v1::Run* run) {
      run->set_id("run-1");
      return grpc::Status::OK;
    };
  }

  // Draws two rows and then nothing until the reader leaves.
  void DrawAndWait() {
    server_.on_tail = [](grpc::ServerContext* context, const auto&, FakeServer::Writer* writer) {
      v1::LogBatch batch;
      *batch.add_lines() = Line(1, "plain");
      *batch.add_lines() = Line(2, "a 1%");
      *batch.add_lines() = Line(3, "\x1b[1A\x1b[Ka 2%");
      writer->Write(batch);
      while (!context->IsCancelled()) std::this_thread::yield();
      return grpc::Status::OK;
    };
  }

  std::vector<std::string> Command(std::vector<std::string> arguments) {
    arguments.push_back("--rendered");
    arguments.push_back("--server=" + server_.address());
    return arguments;
  }

  FakeServer server_;
};

TEST_F(RenderedTest, GoesOnAfterABrokenConnectionAsIfItHadHeld) {
  Script script;
  for (int i = 1; i <= 20; ++i) {
    script.log.push_back(Line(i, i == 1 ? "0%" : "\x1b[1A\x1b[K" + std::to_string(i) + "%"));
  }
  script.log.push_back(ResultLine(21));
  script.cuts = {3, 2, 4};
  server_.Serve(std::move(script));
  const Finished tail = Jobtail(Command({"tail", "run-1"}));
  EXPECT_EQ(tail.out, "20%\n");
  EXPECT_EQ(tail.code, 0);
}

TEST_F(RenderedTest, PrintsWhatNothingDrawsOnWhileTheRunGoesOn) {
  DrawAndWait();
  Process tail(Command({"tail", "run-1"}));
  EXPECT_TRUE(tail.WaitForOut("plain\n"));
  EXPECT_EQ(tail.out(), "plain\n") << "the other row may be drawn on";
}

TEST_F(RenderedTest, PrintsAllThatHasComeWhenItIsInterrupted) {
  DrawAndWait();
  Process run(Command({"run", "job"}));
  ASSERT_TRUE(run.WaitForOut("plain\n"));
  run.Signal(SIGINT);
  EXPECT_EQ(run.Wait(), 130);
  EXPECT_EQ(run.out(), "plain\na 2%\n");
  EXPECT_THAT(run.err(), HasSubstr("tail run-1 --from=4\n"));
}

TEST_F(RenderedTest, EndsWhenNobodyReadsWhatIsPrintedLater) {
  DrawAndWait();
  Process tail(Command({"tail", "run-1"}));
  tail.CloseStdout();
  EXPECT_EQ(tail.Wait(), -SIGPIPE);
}

TEST_F(RenderedTest, EndsWhenWhatIsPrintedLaterCannotBeWritten) {
  DrawAndWait();
  const std::string command =
      JOBTAIL_COMMAND " tail run-1 --rendered --server=" + server_.address() + " >/dev/full 2>&1";
  const int status = system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 125);
}

TEST_F(RenderedTest, SeveralRunsHaveScreensOfTheirOwn) {
  server_.on_tail = [](auto*, const v1::TailLogRequest& request, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = Line(1, request.run() + " 1%");
    *batch.add_lines() = Line(2, "\x1b[1A\x1b[K" + request.run() + " 2%");
    *batch.add_lines() = ResultLine(3);
    writer->Write(batch);
    return grpc::Status::OK;
  };
  const Finished tail = Jobtail(Command({"tail", "run-1", "run-2"}));
  EXPECT_THAT(tail.out, HasSubstr("run-1 | run-1 2%\n"));
  EXPECT_THAT(tail.out, HasSubstr("run-2 | run-2 2%\n"));
  EXPECT_THAT(tail.out, MatchesRegex("[^\n]*\n[^\n]*\n"));
}

TEST_F(RenderedTest, IsRefusedWhereItMakesNoSense) {
  const Finished tail = Jobtail(Command({"tail", "run-1", "--grep=x"}));
  EXPECT_EQ(tail.code, 125);
  EXPECT_THAT(tail.err, HasSubstr("leave out --grep"));
}

}  // namespace
}  // namespace jobtail::client
