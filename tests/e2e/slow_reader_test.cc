// Tests of readers that are much slower than the job.

#include <gtest/gtest.h>

#include <charconv>

#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

constexpr int64_t kLines = 1'000'000;

// firehose numbers its lines itself.
void CheckLine(const v1::LogLine& line, int64_t* next) {
  if (line.sequence() == 0) return;
  ASSERT_EQ(line.sequence(), *next);
  if (line.has_text()) {
    int64_t number = 0;
    std::from_chars(line.text().data(), line.text().data() + line.text().size(), number);
    ASSERT_EQ(number, *next);
  }
  ++*next;
}

TEST(SlowReader, GetsAMillionLinesThroughTailLog) {
  DemoServer demo;
  const std::string run = StartRun(demo.stub(), "firehose", {{"lines", std::to_string(kLines)}});
  grpc::ClientContext context;
  const auto reader = demo.stub().TailLog(&context, Follow(run));
  int64_t next = 1;
  bool waited = false;
  for (v1::LogBatch batch; reader->Read(&batch);) {
    for (const v1::LogLine& line : batch.lines()) ASSERT_NO_FATAL_FAILURE(CheckLine(line, &next));
    // The job does not wait for a reader that has stopped.
    if (!waited && next > 1000) WaitUntilEnded(demo.stub(), run);
    waited |= next > 1000;
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(next, kLines + 2);
}

TEST(SlowReader, GetsAMillionLinesThroughRunJob) {
  DemoServer demo;
  grpc::ClientContext context;
  const auto reader = demo.stub().RunJob(
      &context, RunRequest("firehose", {{"lines", std::to_string(kLines)}, {"bytes", "20"}}));
  v1::LogLine line;
  ASSERT_TRUE(reader->Read(&line));
  const std::string run = line.run().id();
  int64_t next = 1;
  while (reader->Read(&line)) {
    ASSERT_NO_FATAL_FAILURE(CheckLine(line, &next));
    if (next == 1000) WaitUntilEnded(demo.stub(), run);
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(next, kLines + 2);
}

TEST(SlowReader, ManyThatStallHoldUpNobody) {
  EmbeddedServer server;
  server.Add("prints", [](JobContext&) {
    const std::string line(1000, 'x');
    for (int i = 0; i < 20'000; ++i) puts(line.c_str());
  });
  const std::string run = StartRun(server.stub(), "prints");
  struct Stalled {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::LogBatch>> reader;
  };
  std::vector<std::unique_ptr<Stalled>> stalled;
  for (int i = 0; i < 200; ++i) {
    stalled.push_back(std::make_unique<Stalled>());
    stalled.back()->reader = server.stub().TailLog(&stalled.back()->context, Follow(run));
  }
  EXPECT_EQ(Tail(server.stub(), Follow(run)).last_sequence(), 20'001);
  // Each can still go on from where it is.
  EXPECT_EQ(Transcript::Read(*stalled.back()->reader).last_sequence(), 20'001);
  for (const auto& reader : stalled) reader->context.TryCancel();
}

}  // namespace
}  // namespace jobtail::e2e
