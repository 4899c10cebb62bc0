// What concerns all streams of a door.

#include "server/stream/stream_set.h"

#include <gmock/gmock.h>

#include <memory>
#include <thread>
#include <vector>

#include "server/stream/stream.h"
#include "tests/server/stream/stream_fakes.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail {
namespace {

using testing::FakeWriter;
using testing::Script;

class StreamSetTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  Script quiet_;
  Script other_;
  StorePool pool_;
  StreamSet set_{&pool_, absl::Seconds(15), "test-streams", &clock_};
  FakeWriter first_{&set_};
  FakeWriter second_{&set_};
};

TEST_F(StreamSetTest, CountsWhatIsSent) {
  quiet_.Add("12345");
  first_.stream().Start(quiet_.MakeFeed());
  second_.stream().Start(other_.MakeFeed());
  first_.Deliver();
  EXPECT_EQ(set_.stats().open, 2);
  EXPECT_EQ(set_.stats().messages, 1);
  EXPECT_EQ(set_.stats().bytes, 5);
}

TEST_F(StreamSetTest, ForgetsStreamsThatAreClosed) {
  quiet_.End();
  first_.stream().Start(quiet_.MakeFeed());
  first_.Deliver();
  EXPECT_TRUE(first_.finished());
  first_.stream().Close();
  EXPECT_EQ(set_.stats().open, 0);
}

TEST_F(StreamSetTest, WaitsForThoseThatKeepUp) {
  quiet_.Add("the rest");
  first_.DeliverAll();
  first_.stream().Start(quiet_.MakeFeed());
  std::thread stopping([this] { set_.StopAll(absl::InfiniteDuration()); });
  first_.AwaitFinish();
  EXPECT_EQ(first_.sent().back(), "the rest");
  first_.stream().Close();
  stopping.join();
}

TEST_F(StreamSetTest, StopsTheOthersAsTheyAre) {
  quiet_.Add("the rest");
  first_.stream().Start(quiet_.MakeFeed());
  set_.StopAll(absl::ZeroDuration());
  EXPECT_FALSE(first_.finished()) << "its message is on its way";
  first_.Deliver();
  EXPECT_TRUE(first_.finished());
  EXPECT_EQ(first_.sent().back(), "begin");
  EXPECT_EQ(first_.resume_point(), 1);
}

TEST_F(StreamSetTest, WaitsNoLongerThoughTheClockIsSetBack) {
  first_.stream().Start(quiet_.MakeFeed());  // whose client takes nothing
  std::thread stopping([this] { set_.StopAll(absl::Hours(1)); });
  clock_.SetForward(-absl::Hours(5));
  {
    const PassingTime passing(&clock_, absl::Minutes(1));
    stopping.join();
  }
  first_.Deliver();
  EXPECT_EQ(first_.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamSetTest, StopsStreamsThatComeLater) {
  set_.StopAll(absl::ZeroDuration());
  quiet_.Add("all there is");
  first_.DeliverAll();
  first_.stream().Start(quiet_.MakeFeed());
  first_.AwaitFinish();
  EXPECT_EQ(first_.sent().back(), "all there is");
  EXPECT_EQ(first_.status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(StreamSetTest, SendsHeartbeatsWhateverHangsInThePool) {
  for (Script* script : {&quiet_, &other_}) {
    script->SetCheap(false);
    script->Hold();
  }
  first_.stream().Start(quiet_.MakeFeed());
  second_.stream().Start(other_.MakeFeed());
  first_.Deliver();
  second_.Deliver();
  quiet_.AwaitHeld();
  other_.AwaitHeld();
  clock_.Advance(absl::Seconds(15));
  first_.AwaitSent(2);
  second_.AwaitSent(2);
  quiet_.Release();
  other_.Release();
}

// Those of many streams that stall are no more than that together.
TEST_F(StreamSetTest, BoundsMessagesWhereThereAreManyStreams) {
  constexpr size_t kTogether = 8 << 20;
  set_.BoundMessages(kTogether);
  std::vector<std::unique_ptr<FakeWriter>> writers;
  const auto open = [&](size_t count) {
    while (writers.size() < count) {
      writers.push_back(std::make_unique<FakeWriter>(&set_));
      writers.back()->stream().Start(quiet_.MakeFeed());
    }
    while (writers.size() > count) writers.pop_back();
  };
  open(128);
  EXPECT_FALSE(set_.IsCrowded());
  EXPECT_GT(set_.most_message_bytes(), kTogether);
  open(129);
  EXPECT_TRUE(set_.IsCrowded());
  EXPECT_EQ(set_.most_message_bytes(), kTogether / 129);
  open(400);
  EXPECT_EQ(set_.most_message_bytes(), kTogether / 400);
  open(1000);
  EXPECT_EQ(set_.most_message_bytes(), 16 << 10) << "no message is smaller";
  open(1);
  EXPECT_FALSE(set_.IsCrowded());
}

TEST_F(StreamSetTest, HasMessagesOfABatchWhereNobodyBoundsThem) {
  std::vector<std::unique_ptr<FakeWriter>> writers;
  for (int i = 0; i < 129; ++i) {
    writers.push_back(std::make_unique<FakeWriter>(&set_));
    writers.back()->stream().Start(quiet_.MakeFeed());
  }
  EXPECT_EQ(set_.most_message_bytes(), kBatchBytes);
}

// A stream may end, by another thread, while it is being added.
TEST_F(StreamSetTest, StreamsComeAndGoWhileAllAreStopped) {
  for (int round = 0; round < 20; ++round) {
    StreamSet set(&pool_, absl::Seconds(15), "test-streams", &clock_);
    Script script;
    script.Add("one");
    script.End();
    std::vector<std::unique_ptr<FakeWriter>> writers;
    for (int i = 0; i < 20; ++i) writers.push_back(std::make_unique<FakeWriter>(&set));
    std::thread stopping([&set] { set.StopAll(absl::ZeroDuration()); });
    for (const auto& writer : writers) {
      writer->DeliverAll();
      writer->stream().Start(script.MakeFeed());
    }
    stopping.join();
    for (const auto& writer : writers) writer->AwaitFinish();
    writers.clear();
    EXPECT_EQ(set.stats().open, 0);
  }
}

}  // namespace
}  // namespace jobtail
