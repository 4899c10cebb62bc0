// Feeds over real logs and runs.

#include "server/stream/feed.h"

#include <gmock/gmock.h>

#include <memory>

#include "absl/synchronization/notification.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::Contains;
using testing::Decode;
using ::testing::ElementsAre;
using testing::Texts;

class FeedTest : public testing::EngineTest {
 protected:
  FeedTest() {
    AddJob(Job("counts", [](JobContext&) {
      for (int i = 1; i <= 1000; ++i) printf("%d\n", i);
    }));
  }

  std::unique_ptr<LogFeed> Open(const std::string& run, const std::string& pattern,
                                std::function<void()> on_client_gone = nullptr) {
    v1::TailLogRequest request;
    request.set_run(run);
    request.set_pattern(pattern);
    return std::make_unique<LogFeed>(*engine_.TailLog(request), 64 << 10,
                                     std::move(on_client_gone));
  }
};

TEST_F(FeedTest, SaysHowFarASearchHasLooked) {
  const std::string run = Start("counts");
  AwaitLog(run);
  const auto feed = Open(run, "^999$");
  EXPECT_FALSE(feed->IsCheap());
  EXPECT_EQ(feed->ResumePoint(), 1);
  std::vector<Slice> slices;
  while (*feed->Read(1 << 20, &slices) != Feed::Next::kEnd) {
  }
  EXPECT_THAT(Texts(Decode(slices)), Contains("999"));
  EXPECT_EQ(feed->ResumePoint(), 1002);
  const v1::LogLine line = Decode({feed->Heartbeat(501)}).at(0);
  EXPECT_EQ(line.heartbeat().searched_through(), 500);
  EXPECT_EQ(line.heartbeat().last_sequence(), 1001);
  EXPECT_EQ(Decode({feed->Heartbeat(1)}).at(0).heartbeat().searched_through(), 0);
}

TEST_F(FeedTest, HasAPartOfALongSearchDoneByOthers) {
  AddJob(Job("prints-much", [](JobContext&) {
    for (int i = 1; i <= 60'000; ++i) printf("line %d %080d\n", i, 0);
  }));
  const std::string run = Start("prints-much");
  AwaitLog(run);
  const auto feed = Open(run, "^line [0-9]*12345 ");
  int pieces = 0;
  feed->Share([&pieces](const std::function<void()>& piece) {
    ++pieces;
    piece();
  });
  std::vector<Slice> slices;
  while (*feed->Read(1 << 20, &slices) != Feed::Next::kEnd) {
  }
  EXPECT_GT(pieces, 0);
  EXPECT_EQ(feed->ResumePoint(), 60'002);
  std::vector<int64_t> found;
  for (const v1::LogLine& line : Decode(slices)) {
    if (line.has_text()) found.push_back(line.sequence());
  }
  EXPECT_THAT(found, ElementsAre(12'345));
}

TEST_F(FeedTest, TellsWhoWantsToKnowThatTheClientHasGone) {
  const std::string run = Start("counts");
  AwaitLog(run);
  int told = 0;
  Open(run, "", [&told] { ++told; })->ClientGone();
  EXPECT_EQ(told, 1);
  Open(run, "")->ClientGone();
}

TEST_F(FeedTest, ReadsRunsThatChange) {
  AddWaitingJob("waits");
  const std::string run = Start("waits");
  RunFeed feed(*engine_.WatchRuns({}));
  EXPECT_TRUE(feed.IsCheap());
  std::vector<Slice> slices;
  ASSERT_EQ(*feed.Read(1 << 20, &slices), Feed::Next::kWait);
  ASSERT_GE(slices.size(), 1u);  // twice, if it has begun meanwhile
  v1::Run parsed;
  ASSERT_TRUE(parsed.ParseFromString(std::string(slices[0].view())));
  EXPECT_EQ(parsed.id(), run);
  EXPECT_FALSE(feed.Heartbeat(std::nullopt).buffer) << "there are none of runs";
}

// Whoever does not read holds what was read together.
TEST_F(FeedTest, ReadsFewLargeRunsTogether) {
  constexpr size_t kRuns = 20;
  constexpr size_t kTogether = 64 << 10;
  const auto done = std::make_shared<absl::Notification>();
  AddJob(Job("large", [done](JobContext&) {
           done->WaitForNotification();
         }).With(Parameter::String("text")));
  for (size_t i = 0; i < kRuns; ++i) Start("large", {{"text", std::string(20'000, 'x')}});
  RunFeed feed(*engine_.WatchRuns({}));
  size_t runs = 0;
  for (Feed::Next next = Feed::Next::kMore; next == Feed::Next::kMore;) {
    std::vector<Slice> slices;
    next = *feed.Read(1 << 20, &slices);
    size_t bytes = 0;
    for (const Slice& slice : slices) {
      EXPECT_LT(bytes, kTogether);
      bytes += slice.size;
    }
    runs += slices.size();
  }
  EXPECT_GE(runs, kRuns);
  done->Notify();
}

}  // namespace
}  // namespace jobtail
