// Ctrl-C and SIGTERM, wherever they may come.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "fake_server.h"
#include "process.h"

namespace jobtail::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void Send(const v1::LogLine& line, FakeServer::Writer* writer) {
  v1::LogBatch batch;
  *batch.add_lines() = line;
  writer->Write(batch);
}

class InterruptTest : public ::testing::Test {
 protected:
  InterruptTest() {
    server_.on_create_run = [](const auto&, v1::Run* run) {
      run->set_id("run-1");
      return grpc::Status::OK;
    };
    server_.on_get_run = [](const auto&, v1::Run* run) {
      run->set_id("run-1");
      return grpc::Status::OK;
    };
    server_.on_cancel_run = [this](const auto&, v1::Run*) {
      cancelled_.Notify();
      return grpc::Status::OK;
    };
    // Prints two lines, and then nothing until the run is cancelled or the reader leaves.
    server_.on_tail = [this](grpc::ServerContext* context, const auto&, auto* writer) {
      Send(Line(1, "one"), writer);
      Send(Line(2, "two"), writer);
      while (!context->IsCancelled() && !cancelled_.HasBeenNotified()) std::this_thread::yield();
      Send(Line(3, "cleaning up"), writer);
      Send(ResultLine(4, v1::RUN_STATE_CANCELLED), writer);
      return grpc::Status::OK;
    };
  }

  std::vector<std::string> WithServer(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + server_.address());
    return arguments;
  }

  FakeServer server_;
  absl::Notification cancelled_;
};

TEST_F(InterruptTest, RunTellsHowToGetBack) {
  for (const auto& [signal, code] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    Process run(WithServer({"run", "job"}));
    ASSERT_TRUE(run.WaitForOut("two\n"));
    run.Signal(signal);
    EXPECT_EQ(run.Wait(), code);
    EXPECT_EQ(run.out(), "one\ntwo\n");
    EXPECT_EQ(run.err(), absl::StrCat("jobtail: interrupted; run run-1 goes on\n",  //
                                      "  follow it:  jobtail --server=", server_.address(),
                                      " tail run-1 --from=3\n", "  cancel it:  jobtail --server=",
                                      server_.address(), " cancel run-1\n"));
  }
  EXPECT_FALSE(cancelled_.HasBeenNotified());
}

TEST_F(InterruptTest, TailEndsQuietly) {
  Process tail(WithServer({"tail", "run-1"}));
  ASSERT_TRUE(tail.WaitForOut("two\n"));
  tail.Signal(SIGINT);
  EXPECT_EQ(tail.Wait(), 130);
  EXPECT_EQ(tail.err(), "");
}

TEST_F(InterruptTest, CancelsTheRunIfAskedTo) {
  Process run(WithServer({"run", "--cancel-on-interrupt", "job"}));
  ASSERT_TRUE(run.WaitForOut("two\n"));
  run.Signal(SIGINT);
  EXPECT_EQ(run.Wait(), 130);
  EXPECT_TRUE(cancelled_.HasBeenNotified());
  EXPECT_EQ(run.out(), "one\ntwo\ncleaning up\n");
  EXPECT_THAT(run.err(), AllOf(StartsWith("jobtail: cancelling run run-1"),
                               HasSubstr("jobtail: run run-1 CANCELLED\n")));
}

TEST_F(InterruptTest, TheSecondOneLeavesAtOnce) {
  absl::Notification asked;
  server_.on_cancel_run = [&](const auto&, auto*) {
    asked.Notify();
    return grpc::Status::OK;  // and the job does not heed it
  };
  Process run(WithServer({"run", "--cancel-on-interrupt", "job"}));
  ASSERT_TRUE(run.WaitForOut("two\n"));
  run.Signal(SIGTERM);
  asked.WaitForNotification();
  run.Signal(SIGINT);
  EXPECT_EQ(run.Wait(), 130);
  server_.Stop();  // before what it notifies is gone
}

TEST_F(InterruptTest, TellsIfTheRunCannotBeCancelled) {
  server_.on_cancel_run = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not yours");
  };
  Process run(WithServer({"run", "--cancel-on-interrupt", "job"}));
  ASSERT_TRUE(run.WaitForOut("two\n"));
  run.Signal(SIGINT);
  EXPECT_TRUE(run.WaitForErr("could not cancel run run-1: not yours\n"));
  cancelled_.Notify();
  run.Wait();
}

TEST_F(InterruptTest, WhileNobodyReadsTheOutput) {
  server_.Serve({.log = NumberedLog(500'000), .batch = 20'000});  // more at once than a pipe takes
  Process run(WithServer({"run", "job"}));
  run.WaitForFullStdout();
  run.Signal(SIGINT);
  ASSERT_TRUE(run.WaitForErr(" tail run-1 --from="));
  EXPECT_EQ(run.Wait(), 130);
  // What is said to have been printed is what has been printed.
  const size_t at = run.err().find("--from=") + 7;
  const int next = std::stoi(run.err().substr(at));
  const std::string last_complete = absl::StrCat("\n", next - 1, "\n");
  const size_t end = run.out().rfind('\n') + 1;
  EXPECT_EQ(run.out().substr(end - last_complete.size(), last_complete.size()), last_complete);
}

TEST_F(InterruptTest, WhileTheConnectionIsDown) {
  server_.Serve({.log = NumberedLog(10), .cuts = std::vector<int>(10'000, 2), .batch = 3});
  Process run(WithServer({"run", "job"}));
  ASSERT_TRUE(run.WaitForOut("3\n"));
  server_.Stop();
  ASSERT_TRUE(run.WaitForErr("trying again"));
  run.Signal(SIGINT);
  EXPECT_EQ(run.Wait(), 130);
  EXPECT_THAT(run.err(), HasSubstr("goes on\n"));
}

TEST_F(InterruptTest, BeforeTheRunHasStarted) {
  absl::Notification entered;
  absl::Notification leave;
  server_.on_create_run = [&](const auto&, auto*) {
    entered.Notify();
    leave.WaitForNotification();
    return grpc::Status::OK;
  };
  Process run(WithServer({"run", "job"}));
  entered.WaitForNotification();
  run.Signal(SIGINT);
  EXPECT_EQ(run.Wait(), 130);
  EXPECT_THAT(run.err(), AllOf(HasSubstr("interrupted before the server answered"),
                               HasSubstr("runs --job=job\n")));
  leave.Notify();
  server_.Stop();  // before what it waits for is gone
}

TEST_F(InterruptTest, RawStaysQuietInAFile) {
  Process run(WithServer({"run", "--output=raw", "job"}));
  ASSERT_TRUE(run.WaitForOut("two\n"));
  run.Signal(SIGINT);
  EXPECT_EQ(run.Wait(), 130);
  EXPECT_EQ(run.err(), "");
}

}  // namespace
}  // namespace jobtail::client
