// How a stream ends before its feed does: it is stopped, its client goes, its reader may not read
// on.
#include <gmock/gmock.h>

#include <thread>

#include "server/stream/stream.h"
#include "tests/server/stream/stream_fixture.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::StreamTest;

TEST_F(StreamTest, StopsOnceEverythingHasBeenSent) {
  script_.Add("one");
  script_.Add("two");
  writer_.stream().Start(script_.MakeFeed());
  writer_.stream().Stop(/*now=*/false);
  writer_.DeliverAll();
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "two"));
  EXPECT_EQ(writer_.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(writer_.status().message()), HasSubstr("from_sequence=3"));
  EXPECT_EQ(writer_.resume_point(), 3);
}

TEST_F(StreamTest, StopsWhileItWaits) {
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.stream().Stop(/*now=*/false);
  EXPECT_EQ(writer_.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(writer_.resume_point(), 1);
}

TEST_F(StreamTest, StopsWithWhatCameWhileItWasReadingAhead) {
  script_.SetCheap(false);
  script_.Add("one");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.AwaitSent(2);
  EXPECT_TRUE(Eventually([this] { return script_.reads() == 2; })) << "which finds nothing";
  script_.Add("the last");
  writer_.stream().Stop(/*now=*/false);
  writer_.DeliverAll();
  writer_.AwaitFinish();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one", "the last"));
}

TEST_F(StreamTest, StopsAtOnceAfterTheMessageOnItsWay) {
  script_.Add("one");
  script_.Add("two");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.stream().Stop(/*now=*/true);
  EXPECT_FALSE(writer_.finished());
  writer_.Deliver();
  EXPECT_TRUE(writer_.finished());
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
  EXPECT_EQ(writer_.resume_point(), 2);
}

TEST_F(StreamTest, TellsOnceThatItsClientHasGone) {
  writer_.stream().Start(script_.MakeFeed());
  writer_.stream().ClientGone();
  EXPECT_FALSE(writer_.finished()) << "a message is on its way";
  writer_.Deliver(/*ok=*/false);
  writer_.stream().ClientGone();
  EXPECT_EQ(writer_.status().code(), absl::StatusCode::kCancelled);
  script_.AwaitGone();
  EXPECT_EQ(script_.gone(), 1);
}

TEST_F(StreamTest, RemembersAClientThatHasGoneBeforeTheStart) {
  EXPECT_FALSE(writer_.stream().IsClientGone());
  writer_.stream().ClientGone();
  EXPECT_TRUE(writer_.stream().IsClientGone());
  EXPECT_FALSE(writer_.finished());
  writer_.stream().Start(script_.MakeFeed());
  EXPECT_EQ(writer_.status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(writer_.sent(), IsEmpty());
  script_.AwaitGone();
}

TEST_F(StreamTest, DoesNotTellOfAClientThatHasGotEverything) {
  script_.End();
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  EXPECT_TRUE(writer_.finished());
  EXPECT_TRUE(writer_.status().ok());
  writer_.stream().ClientGone();
  EXPECT_EQ(script_.gone(), 0);
}

TEST_F(StreamTest, LooksNoFurtherForAClientThatHasGone) {
  script_.SetCheap(false);
  script_.Hold();
  for (int i = 0; i < 1000; ++i) script_.Add("");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  script_.AwaitHeld();
  writer_.stream().ClientGone();
  script_.Release();
  writer_.AwaitFinish();
  EXPECT_EQ(script_.reads(), 1);
}

TEST_F(StreamTest, EndsOnceItsReaderMayNotReadOn) {
  script_.Add("one");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  writer_.Deliver();
  writer_.stream().CheckRight();
  EXPECT_FALSE(writer_.finished());
  script_.Refuse(absl::UnauthenticatedError("revoked"));
  writer_.stream().CheckRight();
  EXPECT_TRUE(writer_.finished());
  EXPECT_EQ(writer_.status(), absl::UnauthenticatedError("revoked; go on with from_sequence=2"));
  EXPECT_EQ(writer_.resume_point(), 2);
}

TEST_F(StreamTest, SendsNothingMoreOnceItsReaderMayNotReadOn) {
  script_.Add("one");
  script_.Add("two");
  writer_.stream().Start(script_.MakeFeed());
  writer_.Deliver();
  script_.Refuse(absl::PermissionDeniedError("taken away"));
  writer_.stream().CheckRight();
  EXPECT_FALSE(writer_.finished()) << "a message is on its way";
  writer_.Deliver();
  EXPECT_THAT(writer_.sent(), ElementsAre("begin", "one"));
  EXPECT_EQ(writer_.status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(StreamTest, ItsReadersRightIsLookedAtTwiceASecond) {
  writer_.DeliverAll();
  writer_.stream().Start(script_.MakeFeed());
  script_.Refuse(absl::UnauthenticatedError("expired"));
  clock_.Advance(absl::Milliseconds(500));
  writer_.AwaitFinish();
  EXPECT_EQ(writer_.status().code(), absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace jobtail
