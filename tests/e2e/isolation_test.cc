// Tests that runs' output never mixes, neither with each other's nor with the server's.

#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::ElementsAreArray;

std::vector<std::string> CountdownLines(int times) {
  std::vector<std::string> lines;
  for (int i = 0; i < times; ++i) lines.push_back(absl::StrCat("Task #", i));
  lines.emplace_back("Done");
  return lines;
}

TEST(Isolation, TwoRunsAndTheServersTerminalDoNotMix) {
  DemoServer demo({"--chatter=0.01"});
  const auto watch = [&](Transcript* transcript) {
    const auto stub = Connect(demo.address());
    grpc::ClientContext context;
    const auto reader =
        stub->RunJob(&context, RunRequest("countdown", {{"times", "10"}, {"interval", "20ms"}}));
    *transcript = Transcript::Read(*reader);
    EXPECT_TRUE(reader->Finish().ok());
  };
  Transcript first;
  Transcript second;
  std::thread other([&] { watch(&second); });
  watch(&first);
  other.join();
  EXPECT_THAT(first.Lines(), ElementsAreArray(CountdownLines(10)));
  EXPECT_THAT(second.Lines(), ElementsAreArray(CountdownLines(10)));
  EXPECT_NE(first.run().id(), second.run().id());

  // The server's own stdout has had the lines of the thread outside any run, all the while.
  int chatter = 0;
  const std::string line = demo.process().ReadLine().value_or("");
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripPrefix(line, "chatter "), &chatter)) << line;
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(demo.process().ReadLine(), absl::StrCat("chatter ", chatter + i));
  }
  demo.process().Signal(SIGTERM);
  const jobtail::testing::Outcome outcome = demo.process().Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out.find("Task"), std::string::npos);
  EXPECT_EQ(outcome.out.find("Done"), std::string::npos);
  EXPECT_EQ(outcome.err.find("Task"), std::string::npos);
}

TEST(Isolation, ThreadsOfARunNeverTearLines) {
  DemoServer demo;
  const std::string run = StartRun(demo.stub(), "threads", {{"threads", "16"}, {"lines", "500"}});
  const std::vector<std::string> lines = Tail(demo.stub(), Follow(run)).Lines();
  std::multiset<std::string> expected;
  for (int t = 0; t < 16; ++t) {
    for (int i = 0; i < 500; ++i) {
      expected.insert(absl::StrCat("thread ", t, " line ", i, " of 500"));
    }
  }
  EXPECT_EQ(std::multiset<std::string>(lines.begin(), lines.end()), expected);
}

TEST(Isolation, ThePrintedStreamIsKept) {
  DemoServer demo;
  const std::string run = StartRun(demo.stub(), "throws");
  const Transcript transcript = Tail(demo.stub(), Follow(run));
  EXPECT_EQ(transcript.Printed(v1::STREAM_STDOUT), "Opening the valve\n");
  EXPECT_EQ(transcript.Printed(v1::STREAM_STDERR), "Pressure is too high\n");
  EXPECT_EQ(transcript.result().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(transcript.result().error(), "exception: the valve is stuck");
  EXPECT_EQ(transcript.result().exit_code(), 1);
}

}  // namespace
}  // namespace jobtail::e2e
