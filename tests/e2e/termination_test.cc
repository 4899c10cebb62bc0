// The demo server, as a process, told to stop while clients follow runs.

#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;

// Reads until the record with this number has come.
void ReadTo(grpc::ClientReader<v1::LogBatch>& reader, Transcript* transcript, int64_t sequence) {
  v1::LogBatch batch;
  while (transcript->last_sequence() < sequence && reader.Read(&batch)) transcript->Add(batch);
  ASSERT_EQ(transcript->last_sequence(), sequence);
}

TEST(Termination, EndsStreamsWithAResumePointAndRefusesNewRuns) {
  DemoServer demo({"--stop-grace=1"});
  const std::string run = StartRun(demo.stub(), "stubborn", {{"duration", "1h"}});
  grpc::ClientContext context;
  const auto reader = demo.stub().TailLog(&context, Follow(run));
  Transcript transcript;
  ReadTo(*reader, &transcript, 1);
  demo.process().Signal(SIGTERM);
  while (!GetRun(demo.stub(), run).has_cancel_time()) std::this_thread::yield();

  v1::CreateRunRequest request;
  request.set_job("countdown");
  v1::Run created;
  grpc::ClientContext create_context;
  const grpc::Status refusal = demo.stub().CreateRun(&create_context, request, &created);
  EXPECT_EQ(refusal.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refusal.error_message(), HasSubstr("try again when it is back"));

  for (v1::LogBatch batch; reader->Read(&batch);) transcript.Add(batch);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ResumePoint(context), "2");
  EXPECT_EQ(demo.process().Wait().exit_code, 0);
}

TEST(Termination, EndsRunJobAndWatchRunsToo) {
  DemoServer demo({"--stop-grace=0"});
  grpc::ClientContext run_context;
  const auto run = demo.stub().RunJob(&run_context, RunRequest("stubborn", {{"duration", "1h"}}));
  Transcript transcript;
  v1::LogLine line;
  while (transcript.last_sequence() < 1 && run->Read(&line)) transcript.Add(line);
  grpc::ClientContext watch_context;
  const auto watch = demo.stub().WatchRuns(&watch_context, {});
  v1::Run change;
  ASSERT_TRUE(watch->Read(&change));
  demo.process().Signal(SIGTERM);
  while (run->Read(&line)) transcript.Add(line);
  EXPECT_EQ(run->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ResumePoint(run_context), "2");
  while (watch->Read(&change)) {
  }
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(demo.process().Wait().exit_code, 0);
}

// Neither of the two that do not listen keeps the server, and the one that does gets its due.
TEST(Termination, WaitsForNobodyForLong) {
  DemoServer demo({"--stop-grace=0.2"});
  const std::string deaf = StartRun(demo.stub(), "stubborn", {{"duration", "1h"}});
  const std::string loud = StartRun(demo.stub(), "firehose", {{"lines", "1000000"}});
  const auto stalled_stub = Connect(demo.address());
  grpc::ClientContext stalled_context;
  const auto stalled = stalled_stub->TailLog(&stalled_context, Follow(loud));
  v1::LogBatch batch;
  ASSERT_TRUE(stalled->Read(&batch));
  // All of it, so that there is more than a connection holds.
  grpc::ClientContext whole_context;
  const auto whole = demo.stub().TailLog(&whole_context, Follow(loud));
  while (whole->Read(&batch)) {
  }
  ASSERT_TRUE(whole->Finish().ok());
  grpc::ClientContext context;
  const auto reader = demo.stub().TailLog(&context, Follow(deaf));
  Transcript transcript;
  ReadTo(*reader, &transcript, 1);

  demo.process().Signal(SIGTERM);
  while (reader->Read(&batch)) transcript.Add(batch);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ResumePoint(context), "2");
  const jobtail::testing::Outcome outcome = demo.process().Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_THAT(outcome.err, HasSubstr("do not heed their stop token"));
  // The one that had stopped reading: what had reached it, and then an error that can be retried.
  while (stalled->Read(&batch)) {
  }
  EXPECT_EQ(stalled->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

// Of a job that prints no faster than they can read on a busy machine.
TEST(Termination, DeliversTheResultToEveryReaderThatKeepsUp) {
  DemoServer demo;
  const std::string run =
      StartRun(demo.stub(), "countdown", {{"times", "1000000"}, {"interval", "100us"}});
  std::vector<int64_t> last(3);
  std::vector<std::jthread> readers;
  std::atomic<int> reading = 0;
  for (int64_t& sequence : last) {
    readers.emplace_back([&] {
      const auto stub = Connect(demo.address());
      grpc::ClientContext context;
      const auto reader = stub->TailLog(&context, Follow(run));
      bool ended = false;
      bool first = true;
      for (v1::LogBatch batch; reader->Read(&batch);) {
        sequence = batch.lines().rbegin()->sequence();
        // The first message tells the run's state; the job may not have printed yet.
        if (sequence > 1 && std::exchange(first, false)) ++reading;
        ended = batch.lines().rbegin()->has_result();
      }
      EXPECT_TRUE(ended);
      EXPECT_TRUE(reader->Finish().ok());
    });
  }
  while (reading < 3) std::this_thread::yield();
  demo.process().Signal(SIGTERM);
  readers.clear();
  EXPECT_GT(last[0], 1);
  EXPECT_EQ(last[1], last[0]);
  EXPECT_EQ(last[2], last[0]);
  EXPECT_EQ(demo.process().Wait().exit_code, 0);
}

TEST(Termination, IsNotNeededForMistakenFlags) {
  for (const char* flag :
       {"--no-such-flag", "--heartbeat=0", "--stop-grace=-1", "--grpc-address=x"}) {
    const jobtail::testing::Outcome outcome =
        jobtail::testing::Run({.command = {JOBTAIL_DEMO, flag}});
    EXPECT_EQ(outcome.exit_code, 1) << flag;
    EXPECT_NE(outcome.err, "") << flag;
  }
  const jobtail::testing::Outcome help =
      jobtail::testing::Run({.command = {JOBTAIL_DEMO, "--help"}});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--grpc-address"));
}

}  // namespace
}  // namespace jobtail::e2e
