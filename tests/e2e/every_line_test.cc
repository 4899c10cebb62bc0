// Tests that every printed line arrives, at once and byte for byte.

#include <gmock/gmock.h>

#include <cstdio>
#include <iostream>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::ElementsAre;

void ThreeLines(JobContext&) {
  std::cout << "one" << std::endl;
  printf("two\n");
  std::cout << "three";  // without its newline, and no flush: the job just returns
}

TEST(EveryLine, ArrivesThroughRunJobHoweverSoonTheJobReturns) {
  EmbeddedServer server;
  server.Add("three", ThreeLines);
  for (int i = 0; i < 1000; ++i) {
    grpc::ClientContext context;
    const auto reader = server.stub().RunJob(&context, RunRequest("three"));
    const Transcript transcript = Transcript::Read(*reader);
    ASSERT_TRUE(reader->Finish().ok());
    ASSERT_TRUE(transcript.ended());
    ASSERT_EQ(transcript.last_sequence(), 4);
    ASSERT_THAT(transcript.Lines(), ElementsAre("one", "two", "three"));
    ASSERT_EQ(transcript.result().state(), v1::RUN_STATE_SUCCEEDED);
    ASSERT_EQ(transcript.result().total_lines(), 3);
    ASSERT_EQ(transcript.result().total_bytes(), 13);
  }
}

TEST(EveryLine, ArrivesThroughTailLogHoweverSoonTheJobReturns) {
  EmbeddedServer server;
  server.Add("three", ThreeLines);
  for (int i = 0; i < 1000; ++i) {
    const std::string run = StartRun(server.stub(), "three");
    const Transcript transcript = Tail(server.stub(), Follow(run));
    ASSERT_TRUE(transcript.ended());
    ASSERT_THAT(transcript.Lines(), ElementsAre("one", "two", "three"));
    ASSERT_EQ(GetRun(server.stub(), run).state(), v1::RUN_STATE_SUCCEEDED);
  }
}

TEST(EveryLine, ComesWhenItIsPrintedNotAtTheEnd) {
  EmbeddedServer server;
  absl::Notification seen;
  server.Add("waits", [&](JobContext&) {
    std::cout << "first" << std::endl;
    seen.WaitForNotification();  // the job cannot end before its line has arrived
    std::cout << "second" << std::endl;
  });
  grpc::ClientContext context;
  const auto reader = server.stub().RunJob(&context, RunRequest("waits"));
  Transcript transcript;
  for (v1::LogLine line; reader->Read(&line);) {
    transcript.Add(line);
    if (line.text() == "first") seen.Notify();
  }
  EXPECT_THAT(transcript.Lines(), ElementsAre("first", "second"));
}

TEST(EveryLine, ComesToWhoeverJoinsLate) {
  EmbeddedServer server;
  server.Add("counts", [](JobContext&) {
    for (int i = 1; i <= 1000; ++i) std::cout << i << '\n';
  });
  const std::string run = StartRun(server.stub(), "counts");
  const Transcript live = Tail(server.stub(), Follow(run));
  const Transcript late = Tail(server.stub(), Follow(run));
  ASSERT_EQ(live.records().size(), 1001u);
  ASSERT_EQ(late.records().size(), 1001u);
  for (size_t i = 0; i < live.records().size(); ++i) {
    ASSERT_EQ(live.records()[i].SerializeAsString(), late.records()[i].SerializeAsString());
  }
  for (const int64_t from : {1, 2, 500, 1000, 1001}) {
    v1::TailLogRequest request = Follow(run);
    request.set_from_sequence(from);
    const Transcript rest = Tail(server.stub(), request);
    ASSERT_EQ(rest.records().size(), 1002u - from);
    EXPECT_EQ(rest.records().front().sequence(), from);
  }
}

TEST(EveryLine, KeepsItsBytesWhateverTheyAre) {
  DemoServer demo;
  const std::string run = StartRun(demo.stub(), "bytes", {{"long_line", "10000000"}});
  const Transcript transcript = Tail(demo.stub(), Follow(run));
  EXPECT_EQ(transcript.Printed(v1::STREAM_STDOUT),
            "caf\xC3\xA9 \xE2\x9C\x93\ncaf\xE9 \xFF\xFE\n" + std::string("nul\0nul", 7) + "\n\n" +
                std::string(10'000'000, 'x') + "\nno newline at the end");
  EXPECT_EQ(transcript.Printed(v1::STREAM_STDERR), "on stderr\n");
  EXPECT_EQ(transcript.records()[1].content_case(), v1::LogLine::kRaw);
  EXPECT_EQ(transcript.records()[2].content_case(), v1::LogLine::kText);
}

}  // namespace
}  // namespace jobtail::e2e
