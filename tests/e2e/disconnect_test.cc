// Tests of clients that go away while a run is at work.

#include <gmock/gmock.h>

#include <csignal>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::ElementsAre;

// Prints, waits for the test, prints again.
class TwoSteps {
 public:
  explicit TwoSteps(EmbeddedServer* server) {
    server->Add("steps", [this](JobContext& run) {
      puts("before");
      while (!go_on.WaitForNotificationWithTimeout(absl::Milliseconds(1))) {
        if (run.stop_token().stop_requested()) return;
      }
      puts("after");
    });
  }
  absl::Notification go_on;
};

TEST(Disconnect, TheRunGoesOnWithoutItsClient) {
  EmbeddedServer server;
  TwoSteps steps(&server);
  std::string run;
  {
    grpc::ClientContext context;
    const auto reader = server.stub().RunJob(&context, RunRequest("steps"));
    v1::LogLine line;
    while (reader->Read(&line) && line.text() != "before") {
      if (line.has_run()) run = line.run().id();
    }
    context.TryCancel();
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  steps.go_on.Notify();
  const Transcript transcript = Tail(server.stub(), Follow(run));
  EXPECT_THAT(transcript.Lines(), ElementsAre("before", "after"));
  EXPECT_EQ(transcript.result().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST(Disconnect, TheRunIsCancelledIfTheClientAskedForThat) {
  EmbeddedServer server;
  TwoSteps steps(&server);
  v1::RunJobRequest request = RunRequest("steps");
  request.set_on_disconnect(v1::ON_DISCONNECT_CANCEL);
  std::string run;
  {
    grpc::ClientContext context;
    const auto reader = server.stub().RunJob(&context, request);
    v1::LogLine line;
    while (reader->Read(&line) && line.text() != "before") {
      if (line.has_run()) run = line.run().id();
    }
    context.TryCancel();
    reader->Finish();
  }
  const Transcript transcript = Tail(server.stub(), Follow(run));
  EXPECT_EQ(transcript.result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_THAT(transcript.Lines(), ElementsAre("before"));
}

TEST(Disconnect, AKilledCommandLeavesTheRunAndItsLog) {
  DemoServer demo;
  jobtail::testing::Subprocess command(
      {.command = {JOBTAIL_COMMAND, "--server=" + demo.address(), "run", "--timestamps",
                   "countdown", "times=20", "interval=50ms"}});
  ASSERT_TRUE(command.WaitForOutput("Task #1"));
  command.Signal(SIGKILL);
  command.Wait();
  grpc::ClientContext context;
  v1::ListRunsResponse runs;
  ASSERT_TRUE(demo.stub().ListRuns(&context, {}, &runs).ok());
  ASSERT_EQ(runs.runs_size(), 1);
  const Transcript transcript = Tail(demo.stub(), Follow(runs.runs(0).id()));
  EXPECT_EQ(transcript.Lines().size(), 21u);
  EXPECT_EQ(transcript.Lines().back(), "Done");
}

// Readers that come and go while nothing is printed leave nothing behind that the next line, or the
// end, would stumble over.
TEST(Disconnect, ReadersComeAndGoOnAnIdleRun) {
  EmbeddedServer server;
  TwoSteps steps(&server);
  const std::string run = StartRun(server.stub(), "steps");
  for (int i = 0; i < 500; ++i) {
    grpc::ClientContext context;
    const auto reader = server.stub().TailLog(&context, Follow(run));
    v1::LogBatch batch;
    ASSERT_TRUE(reader->Read(&batch));
    context.TryCancel();
    reader->Finish();
  }
  steps.go_on.Notify();
  EXPECT_THAT(Tail(server.stub(), Follow(run)).Lines(), ElementsAre("before", "after"));
}

}  // namespace
}  // namespace jobtail::e2e
