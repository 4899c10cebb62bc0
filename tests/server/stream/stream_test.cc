// What a stream reads and sends, and when, with no log and no door.

#include "server/stream/stream.h"

#include <gmock/gmock.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "tests/server/stream/stream_fixture.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Eventually;
using testing::FakeWriter;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHeartbeat;
using testing::Script;
using testing::StreamTest;

TEST_F(StreamTest, SendsOneMessageAtATimeAndEnds) {
  script_.Add("one");
  script_.Add("two");
  writer_.stream().Start(script_.MakeFeed());
  EXPECT_THAT(writer_.sent(), ElementsAre("begin"));
  writer_.Deliver();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
  EXPECT_EQ(script_.reads(), 1) << "what the client has not taken is not read";
  writer_.Deliver();
  writer_.Deliver();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "two"));
  EXPECT_FALSE(writer_.finished());
  script_.Add("three");
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "two", "three")) << "by who has added it";
  script_.End();
  EXPECT_FALSE(writer_.finished());
  writer_.Deliver();
  EXPECT_TRUE(writer_.finished());
  EXPECT_TRUE(writer_.status().ok());
}

TEST_F(StreamTest, EndsWithTheErrorOfItsFeedAfterWhatWasRead) {
  script_.Add("one");
  script_.End(absl::NotFoundError("deleted"));
  writer_.DeliverAll();
  writer_.stream().Start(script_.MakeFeed());
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
  EXPECT_EQ(writer_.status(), absl::NotFoundError("deleted"));
}

TEST_F(StreamTest, EndsWithTheErrorOfItsWriter) {
  writer_.RefuseAll(absl::DataLossError("no lines"));
  script_.Add("one");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  EXPECT_EQ(writer_.status(), absl::DataLossError("no lines"));
}

TEST_F(StreamTest, ThatCannotBeOpenedSendsNothing) {
  writer_.stream().Start(absl::NotFoundError("no run"));
  EXPECT_THAT(writer_.sent(), IsEmpty());
  EXPECT_EQ(writer_.status(), absl::NotFoundError("no run"));
  EXPECT_EQ(set_.stats().open, 0);
}

TEST_F(StreamTest, ReadsWhatIsNotCheapInThePoolAndAMessageAhead) {
  script_.SetCheap(false);
  for (const char* text : {"one", "two", "three"}) script_.Add(text);
  script_.End();
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.AwaitSent(2);
  EXPECT_TRUE(Eventually([this] { return script_.reads() == 2; }));
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
  writer_.Deliver();
  writer_.AwaitSent(3);
  EXPECT_TRUE(Eventually([this] { return script_.reads() == 3; })) << "one ahead, not more";
  writer_.DeliverAll();
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "two", "three"));
}

// Or all that use a transport would wait for who has kept a processor busy, and holds its lock.
TEST_F(StreamTest, IsNotSentByThreadsThatHaveSearched) {
  script_.SetCheap(false);
  script_.Search();
  script_.Add("");  // nothing found yet
  script_.Add("one");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.AwaitSent(2);
  EXPECT_EQ(writer_.sender(), "store-answers");
  writer_.Deliver();
  script_.Add("two");
  writer_.AwaitSent(3);
  EXPECT_EQ(writer_.sender(), "store-answers");
  script_.End();
  writer_.DeliverAll();
  writer_.AwaitFinish();
}

// It keeps its place among those whose turn it is, and bothers nobody.
TEST_F(StreamTest, ThatHasFoundNothingSearchesOnInThePool) {
  script_.SetCheap(false);
  script_.Search();
  absl::Notification open;
  pool_.Answer([&open] { open.WaitForNotification(); });
  for (int i = 0; i < 3; ++i) script_.Add("");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  EXPECT_TRUE(Eventually([this] { return script_.reads() == 4; })) << "and one that waits";
  open.Notify();
  script_.Add("one");
  script_.End();
  writer_.DeliverAll();
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
}

TEST_F(StreamTest, SendsWhatItHasReadWhileTheNextReadHangs) {
  script_.SetCheap(false);
  script_.Hold(/*first=*/1);
  script_.Add("one|two|three");
  script_.Add("four");
  script_.End();
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.AwaitSent(2);
  script_.AwaitHeld();
  writer_.Deliver();
  ASSERT_THAT(writer_.sent(), ElementsAre("begin", "one", "two"));
  writer_.Deliver();
  ASSERT_THAT(writer_.sent(), ElementsAre("begin", "one", "two", "three"));
  writer_.Deliver();
  clock_.Advance(kHeartbeat);
  writer_.AwaitSent(5);
  EXPECT_EQ(writer_.sent().back(), "heartbeat 3") << "and waits no less than others";
  script_.Release();
  writer_.DeliverAll();
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "two", "three", "heartbeat 3", "four"));
  EXPECT_TRUE(writer_.status().ok());
}

// Where each line is a message, what is done for each message is done for each line.
TEST_F(StreamTest, ReadsNothingAheadWithinAGroup) {
  script_.Add("one|two|three");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  script_.SetCheap(false);
  script_.Add("four");
  script_.End();
  writer_.Group();
  writer_.Deliver();
  writer_.Deliver();
  ASSERT_THAT(writer_.sent(), ElementsAre("begin", "one", "two", "three"));
  EXPECT_EQ(script_.reads(), 1);
  writer_.DeliverAll();
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "two", "three", "four"));
}

TEST_F(StreamTest, AHeartbeatDoesNotCountWhatWasReadAndNotSent) {
  script_.SetCheap(false);
  script_.Hold(/*first=*/1);
  script_.Add("one|two|three");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.AwaitSent(2);
  script_.AwaitHeld();
  writer_.stream().Stop(/*now=*/true);  // sends no more, and cannot end yet: the feed is in use
  writer_.Deliver();
  clock_.Advance(kHeartbeat);
  writer_.AwaitSent(3);
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "heartbeat 1"));
  script_.Release();
  writer_.Deliver();
  writer_.AwaitFinish();
  EXPECT_EQ(writer_.resume_point(), 2);
}

TEST_F(StreamTest, NobodyWaitsForARead) {
  script_.SetCheap(false);
  script_.Hold();
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  script_.AwaitHeld();
  writer_.stream().ClientGone();
  writer_.stream().Stop(/*now=*/true);
  EXPECT_FALSE(writer_.finished()) << "the feed is in use";
  script_.Release();
  writer_.AwaitFinish();
}

TEST_F(StreamTest, SendsAHeartbeatWhenItHasBeenIdle) {
  script_.Add("one");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.Deliver();
  clock_.Advance(kHeartbeat - absl::Milliseconds(1));
  writer_.stream().Tick(clock_.Steady());
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
  clock_.Advance(absl::Milliseconds(1));
  writer_.stream().Tick(clock_.Steady());
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "heartbeat 1"));
  clock_.Advance(10 * kHeartbeat);
  writer_.stream().Tick(clock_.Steady());
  EXPECT_EQ(writer_.sent().size(), 3u) << "not to a client that does not take the first";
  writer_.Deliver();
  script_.Add("two");
  EXPECT_EQ(writer_.sent().back(), "two") << "it still waits for what comes";
}

TEST_F(StreamTest, ReadsWhatComesDueThoughNothingWakesIt) {
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  const absl::Duration at = clock_.Steady() + absl::Milliseconds(10);
  script_.AddDue("held back", at);
  writer_.stream().Tick(at - absl::Milliseconds(1));
  EXPECT_THAT(writer_.sent(), ElementsAre("begin"));
  writer_.stream().Tick(at);
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "held back"));
}

TEST_F(StreamTest, SendsHeartbeatsByItselfThoughTheClockIsSetBack) {
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  clock_.SetForward(-absl::Hours(1));
  clock_.Advance(kHeartbeat);
  writer_.AwaitSent(2);
  EXPECT_EQ(writer_.sent().back(), "heartbeat 0");
}

TEST_F(StreamTest, SendsHeartbeatsWhileASearchFindsNothing) {
  script_.SetCheap(false);
  for (int i = 0; i < 50; ++i) script_.Add("");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  EXPECT_TRUE(Eventually([this] { return script_.reads() == 51; }));
  script_.Hold();
  script_.Add("");
  script_.AwaitHeld();  // the search is at work
  clock_.Advance(kHeartbeat);
  writer_.AwaitSent(2);
  EXPECT_EQ(writer_.sent().back(), "heartbeat 50") << "it tells how far it has looked";
  script_.Release();
  writer_.Deliver();
  script_.Add("found");
  writer_.AwaitSent(3);
  EXPECT_EQ(writer_.sent().back(), "found");
}

TEST_F(StreamTest, AHeartbeatDoesNotCountWhatIsFoundWhileItIsSent) {
  script_.SetCheap(false);
  script_.Add("");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  EXPECT_TRUE(Eventually([this] { return script_.reads() == 2; }));
  script_.Hold();
  script_.Add("found");
  script_.AwaitHeld();
  clock_.Advance(kHeartbeat);
  writer_.AwaitSent(2);
  EXPECT_EQ(writer_.sent().back(), "heartbeat 1");
  script_.Release();
  writer_.Deliver();
  writer_.AwaitSent(3);
  EXPECT_EQ(writer_.sent().back(), "found");
}

TEST_F(StreamTest, KnowsAClientThatDoesNotTakeItsMessage) {
  writer_.stream().Start(script_.MakeFeed());
  clock_.Advance(kStalledAfter);
  EXPECT_EQ(set_.stats().stalled, 0);
  clock_.SetForward(absl::Hours(1));
  EXPECT_EQ(set_.stats().stalled, 0) << "nobody has waited";
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(set_.stats().stalled, 1);
  writer_.Deliver();
  EXPECT_EQ(set_.stats().stalled, 0);
}

// As the event loop of the HTTP door.
TEST_F(StreamTest, WorksOnTheThreadOfItsExecutor) {
  std::vector<std::function<void()>> steps;
  FakeWriter writer(&set_,
                    [&steps](std::function<void()> step) { steps.push_back(std::move(step)); });
  writer.stream().Start(script_.MakeFeed());
  writer.Deliver();
  script_.Add("one");
  EXPECT_THAT(writer.sent(), ElementsAre("begin"));
  ASSERT_EQ(steps.size(), 1u);
  steps[0]();
  EXPECT_THAT(writer.sent(), ElementsAre("begin", "one"));
  writer.Deliver();
  writer.stream().Stop(/*now=*/false);
  ASSERT_EQ(steps.size(), 2u);
  steps[1]();
  EXPECT_TRUE(writer.finished());
}

TEST_F(StreamTest, SendsEverythingOnceWhateverComesTogether) {
  for (int round = 0; round < 50; ++round) {
    Script script;
    FakeWriter writer(&set_);
    std::vector<std::string> expected = {"begin"};
    for (int i = 0; i < 100; ++i) expected.push_back(std::to_string(i));
    std::thread adding([&] {
      for (int i = 0; i < 100; ++i) {
        script.SetCheap(i % 3 != 0);
        script.Add(std::to_string(i));
      }
      script.End();
    });
    writer.DeliverAll();
    writer.stream().Start(script.MakeFeed());
    writer.AwaitFinish();
    adding.join();
    EXPECT_EQ(writer.sent(), expected);
  }
}

}  // namespace
}  // namespace jobtail
