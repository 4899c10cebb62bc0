// Tests of heartbeats on idle streams.

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

class HeartbeatTest : public ::testing::Test {
 protected:
  HeartbeatTest() : server_({.heartbeat = absl::Milliseconds(20)}) {
    server_.Add("idles", [this](JobContext&) {
      puts("one");
      seen_.WaitForNotification();
    });
  }

  void Check(const v1::LogLine& line) {
    if (!line.has_heartbeat() || line.heartbeat().last_sequence() == 0) return;
    EXPECT_EQ(line.sequence(), 0);
    EXPECT_EQ(line.heartbeat().last_sequence(), 1);
    EXPECT_GT(line.heartbeat().time().seconds(), 0);
    if (++beats_ == 3) seen_.Notify();
  }

  absl::Notification seen_;
  int beats_ = 0;
  EmbeddedServer server_;
};

TEST_F(HeartbeatTest, ComesOnAnIdleTailLog) {
  const std::string run = StartRun(server_.stub(), "idles");
  grpc::ClientContext context;
  const auto reader = server_.stub().TailLog(&context, Follow(run));
  for (v1::LogBatch batch; reader->Read(&batch);) {
    for (const v1::LogLine& line : batch.lines()) Check(line);
  }
  EXPECT_GE(beats_, 3);
}

TEST_F(HeartbeatTest, ComesOnAnIdleRunJob) {
  grpc::ClientContext context;
  const auto reader = server_.stub().RunJob(&context, RunRequest("idles"));
  for (v1::LogLine line; reader->Read(&line);) Check(line);
  EXPECT_GE(beats_, 3);
}

TEST(Heartbeat, ComesAsOftenAsTheFlagSays) {
  DemoServer demo({"--heartbeat=0.05"});
  grpc::ClientContext context;
  const auto reader = demo.stub().TailLog(
      &context, Follow(StartRun(demo.stub(), "stubborn", {{"duration", "1h"}})));
  Transcript transcript;
  v1::LogBatch batch;
  while (transcript.heartbeats() < 3 && reader->Read(&batch)) transcript.Add(batch);
  EXPECT_EQ(transcript.heartbeats(), 3);
  context.TryCancel();
  reader->Finish();
}

}  // namespace
}  // namespace jobtail::e2e
