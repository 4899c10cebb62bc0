// Tests of the server's shutdown while runs and readers are there.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "server/run/engine.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;

// A run of the demo's countdown that has printed its first line.
class Started {
 public:
  explicit Started(DemoServer* demo)
      : reader_(demo->stub().RunJob(
            &context_, RunRequest("countdown", {{"times", "1000"}, {"interval", "1h"}}))) {
    v1::LogLine line;
    while (reader_->Read(&line)) {
      transcript_.Add(line);
      if (line.sequence() == 1) break;
    }
  }

  grpc::Status ReadToTheEnd() {
    for (v1::LogLine line; reader_->Read(&line);) transcript_.Add(line);
    return reader_->Finish();
  }

  const Transcript& transcript() const { return transcript_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::LogLine>> reader_;
  Transcript transcript_;
};

TEST(Shutdown, AJobThatHeedsItsStopTokenEndsAndItsReaderSeesHow) {
  DemoServer demo;
  Started run(&demo);
  demo.process().Signal(SIGTERM);
  EXPECT_TRUE(run.ReadToTheEnd().ok());
  ASSERT_TRUE(run.transcript().ended());
  EXPECT_EQ(run.transcript().result().state(), v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(run.transcript().result().error(), "the server shut down");
  EXPECT_EQ(demo.process().Wait().exit_code, 0);
}

TEST(Shutdown, AStreamThatCannotEndTellsWhereToGoOn) {
  std::atomic<bool> leave = false;
  EmbeddedServer server({.stop_grace = absl::Milliseconds(50)});
  server.Add("deaf", [&](JobContext&) {
    puts("one");
    puts("two");
    while (!leave) absl::SleepFor(absl::Milliseconds(1));
  });
  const std::string run = StartRun(server.stub(), "deaf");
  grpc::ClientContext context;
  const auto reader = server.stub().TailLog(&context, Follow(run));
  Transcript transcript;
  v1::LogBatch batch;
  while (transcript.last_sequence() < 2 && reader->Read(&batch)) transcript.Add(batch);
  EXPECT_EQ(server.server().Stop(), 1u) << "the job that ignores its stop token is reported";
  while (reader->Read(&batch)) transcript.Add(batch);
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("shutting down"));
  EXPECT_EQ(ResumePoint(context), "3");
  leave = true;
}

TEST(Shutdown, AReaderThatHasStoppedReadingDoesNotHoldItUp) {
  EmbeddedServer server;
  server.Add("prints", [](JobContext& run) {
    const std::string line(1000, 'x');
    while (!run.stop_token().stop_requested()) puts(line.c_str());
  });
  const std::string run = StartRun(server.stub(), "prints");
  grpc::ClientContext context;
  const auto reader = server.stub().TailLog(&context, Follow(run));
  v1::LogBatch batch;
  ASSERT_TRUE(reader->Read(&batch));
  EXPECT_EQ(server.server().Stop(), 0u);
  v1::GetRunRequest request;
  request.set_run(run);
  EXPECT_EQ(server.server().engine().GetRun(request)->state(), v1::RUN_STATE_CANCELLED);
}

bool IsListening(const std::string& address) {
  return OpenChannel(address)->WaitForConnected(std::chrono::system_clock::now() +
                                                std::chrono::milliseconds(100));
}

// Far back in a log the server looks for a message while the one before is sent: what it has found
// and not sent is not to be skipped.
TEST(Shutdown, AReaderFarBehindIsToldWhereToGoOn) {
  EmbeddedServer server;
  server.Add("prints", [](JobContext&) {
    const std::string line(1000, 'x');
    for (int i = 0; i < 20'000; ++i) puts(line.c_str());
  });
  const std::string run = StartRun(server.stub(), "prints");
  WaitUntilEnded(server.stub(), run);
  grpc::ClientContext context;
  const auto reader = server.stub().TailLog(&context, Follow(run));
  Transcript transcript;
  v1::LogBatch batch;
  ASSERT_TRUE(reader->Read(&batch));
  transcript.Add(batch);
  std::thread stop([&] { server.server().Stop(); });
  while (IsListening(server.server().grpc_address())) {
  }  // until then streams may go on to their end
  while (reader->Read(&batch)) transcript.Add(batch);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ResumePoint(context), std::to_string(transcript.last_sequence() + 1));
  stop.join();
}

TEST(Shutdown, RefusesNewRuns) {
  EmbeddedServer server;
  server.Add("quick", [](JobContext&) {});
  server.server().Stop();
  v1::CreateRunRequest request;
  request.set_job("quick");
  const auto run = server.server().engine().CreateRun(request);
  EXPECT_EQ(run.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(run.status().message()), HasSubstr("shutting down"));
}

TEST(Shutdown, OfAnIdleServerLeavesWithZero) {
  for (const int signal : {SIGTERM, SIGINT}) {
    DemoServer demo;
    demo.process().Signal(signal);
    EXPECT_EQ(demo.process().Wait().exit_code, 0);
  }
}

// Starts the demo's job that ignores its stop token.
std::string StartStubborn(DemoServer* demo) {
  const std::string run = StartRun(demo->stub(), "stubborn", {{"duration", "1h"}});
  grpc::ClientContext context;
  const auto reader = demo->stub().TailLog(&context, Follow(run));
  Transcript transcript;
  v1::LogBatch batch;
  while (transcript.last_sequence() < 1 && reader->Read(&batch)) transcript.Add(batch);
  context.TryCancel();
  reader->Finish();
  return run;
}

TEST(Shutdown, AbandonsAJobThatIgnoresItsStopToken) {
  DemoServer demo({"--stop-grace=0.05"});
  StartStubborn(&demo);
  demo.process().Signal(SIGTERM);
  const jobtail::testing::Outcome outcome = demo.process().Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("abandoned"));
}

TEST(Shutdown, ASecondSignalLeavesAtOnce) {
  DemoServer demo({"--stop-grace=3600"});
  const std::string run = StartStubborn(&demo);
  demo.process().Signal(SIGTERM);
  while (!GetRun(demo.stub(), run).has_cancel_time()) {
  }  // it is stopping by now, and waits for the job
  demo.process().Signal(SIGTERM);
  EXPECT_EQ(demo.process().Wait().exit_code, 1);
}

}  // namespace
}  // namespace jobtail::e2e
