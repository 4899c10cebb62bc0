// Tests of who is given up when memory runs out, with real connections.
#include "server/rpc/load_shedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/server/rpc/connected_pair.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int64_t kLimit = 100;

class LoadShedderTest : public ::testing::Test {
 protected:
  LoadShedderTest() {
    connections_.Add(small_.server(), kSmall);
    connections_.Add(large_.server(), kLarge);
  }

  // With a process that has grown.
  std::vector<OpenConnections::Client> Look() {
    resident_ += Growth::kStep;
    return LookAgain();
  }
  std::vector<OpenConnections::Client> LookAgain() {
    return shedder_.Look(TrafficReading(&connections_));
  }

  const OpenConnections::Client kSmall{"10.0.0.1", 1};
  const OpenConnections::Client kLarge{"10.0.0.1", 2};
  ConnectedPair small_;
  ConnectedPair large_;
  OpenConnections connections_;
  int64_t resident_ = kLimit + 1;
  LoadShedder shedder_{kLimit, [this] { return resident_; }};
};

TEST_F(LoadShedderTest, GivesUpWhoSendsMost) {
  EXPECT_THAT(Look(), IsEmpty()) << "what came before does not count";
  small_.Send(LoadShedder::kReceived + 1);
  large_.Send(3 * LoadShedder::kReceived);
  EXPECT_THAT(Look(), ElementsAre(kLarge));
  small_.Send(LoadShedder::kReceived);
  EXPECT_THAT(Look(), ElementsAre(kSmall));
}

TEST_F(LoadShedderTest, GivesUpWhoeverSendsAboutAsMuch) {
  Look();
  small_.Send(2 * LoadShedder::kReceived);
  large_.Send(3 * LoadShedder::kReceived);
  EXPECT_THAT(Look(), UnorderedElementsAre(kSmall, kLarge));
  connections_.Remove(large_.server());
  small_.Send(LoadShedder::kReceived);
  large_.Send(LoadShedder::kReceived);
  EXPECT_THAT(Look(), ElementsAre(kSmall));
}

TEST_F(LoadShedderTest, LeavesAloneWhoSendsLittle) {
  Look();
  large_.Send(LoadShedder::kReceived - 1);
  EXPECT_THAT(Look(), IsEmpty());
}

TEST_F(LoadShedderTest, LeavesAllAloneWhileThereIsMemory) {
  resident_ = 1 - Growth::kStep;
  LookAgain();
  large_.Send(2 * LoadShedder::kReceived);
  EXPECT_THAT(Look(), IsEmpty()) << "it grows, to less than the limit";
  resident_ = kLimit + 1;
  EXPECT_THAT(LookAgain(), IsEmpty()) << "nobody has sent anything since";
}

// A job in the process may have taken all of it.
TEST_F(LoadShedderTest, LeavesAllAloneWhileTheProcessDoesNotGrow) {
  LookAgain();
  for (int i = 0; i < 3; ++i) {
    large_.Send(2 * LoadShedder::kReceived);
    EXPECT_THAT(LookAgain(), IsEmpty());
  }
  large_.Send(2 * LoadShedder::kReceived);
  EXPECT_THAT(Look(), ElementsAre(kLarge)) << "who sends as it grows";
  for (int i = 0; i < Growth::kLooks; ++i) LookAgain();
  large_.Send(2 * LoadShedder::kReceived);
  EXPECT_THAT(LookAgain(), IsEmpty()) << "it has not grown for long";
}

TEST_F(LoadShedderTest, NoticesGrowthHoweverSlowItIs) {
  LookAgain();
  bool is_noticed = false;
  for (int i = 0; i < 16 && !is_noticed; ++i) {
    large_.Send(LoadShedder::kReceived);
    resident_ += Growth::kStep / 16;
    is_noticed = !LookAgain().empty();
    EXPECT_EQ(is_noticed, i == 15) << i;
  }
}

TEST_F(LoadShedderTest, KnowsHowLargeTheProcessIs) {
  const int64_t before = LoadShedder::ResidentBytes();
  EXPECT_GT(before, 1 << 20);
  const std::vector<char> more(64 << 20, 'x');
  EXPECT_GT(LoadShedder::ResidentBytes(), before + (32 << 20));
}

// The system does not count what a unix socket has received.
TEST(LoadShedderOfUnixSockets, FindsWhoSendsWithoutAPause) {
  int quiet[2];
  int flooding[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, quiet), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, flooding), 0);
  OpenConnections connections;
  connections.Add(quiet[0], {"unix:uid=7", 1});
  connections.Add(flooding[0], {"unix:uid=7", 2});
  int64_t resident = kLimit + 1;
  LoadShedder shedder(kLimit, [&] { return resident; });
  EXPECT_THAT(shedder.Look(TrafficReading(&connections)), IsEmpty());
  const std::string text(64 << 10, 'x');
  ASSERT_EQ(write(flooding[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ASSERT_EQ(write(quiet[1], text.data(), 100), 100);
  resident += Growth::kStep;
  EXPECT_THAT(shedder.Look(TrafficReading(&connections)),
              ElementsAre(OpenConnections::Client("unix:uid=7", 2)));
  for (const int fd : {quiet[0], quiet[1], flooding[0], flooding[1]}) close(fd);
}

}  // namespace
}  // namespace jobtail
