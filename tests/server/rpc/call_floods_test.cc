// Tests of whose connections are given up for the calls that gRPC holds of them, with real
// connections.
#include "server/rpc/call_floods.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/server/rpc/connected_pair.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallFloodsTest : public ::testing::Test {
 protected:
  CallFloodsTest() {
    connections_.Add(calm_.server(), kCalm);
    connections_.Add(flooding_.server(), kFlooding);
    EXPECT_THAT(floods_.Look(TrafficReading(&connections_)), IsEmpty());
  }

  // Both send, and the process grows.
  std::vector<OpenConnections::Client> LookAfterGrowth() {
    calm_.Send(2 * CallFloods::kReceived);
    flooding_.Send(CallFloods::kReceived);
    resident_ += CallFloods::kGrowth;
    return floods_.Look(TrafficReading(&connections_));
  }

  const OpenConnections::Client kCalm{"10.0.0.1", 1};
  const OpenConnections::Client kFlooding{"10.0.0.1", 2};
  ConnectedPair calm_;
  ConnectedPair flooding_;
  OpenConnections connections_;
  int64_t resident_ = 1 << 20;
  std::map<OpenConnections::Client, int64_t> held_{{kCalm, 0}, {kFlooding, 0}};
  CallFloods floods_{
      [this](const OpenConnections::Client& client) { return std::optional(held_.at(client)); },
      [this] { return resident_; }};
};

TEST_F(CallFloodsTest, GivesUpWhoBeginsCallsThatAreNotFreed) {
  held_[kFlooding] = CallFloods::kMostHeld;
  EXPECT_THAT(LookAfterGrowth(), IsEmpty());
  held_[kFlooding] += 1;
  EXPECT_THAT(LookAfterGrowth(), ElementsAre(kFlooding));
}

TEST_F(CallFloodsTest, LeavesAloneWhoHasAllOpenThatItMay) {
  held_[kCalm] = CallFloods::kMostCalls;
  held_[kFlooding] = CallFloods::kMostCalls;
  EXPECT_THAT(LookAfterGrowth(), IsEmpty());
}

TEST_F(CallFloodsTest, LooksAtNobodyWhileTheProcessDoesNotGrow) {
  held_.clear();  // or at() would throw
  calm_.Send(2 * CallFloods::kReceived);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(floods_.Look(TrafficReading(&connections_)), IsEmpty());
}

TEST_F(CallFloodsTest, GoesOnForAWhileAfterGrowth) {
  EXPECT_THAT(LookAfterGrowth(), IsEmpty());
  held_[kFlooding] = CallFloods::kMostHeld + 1;
  flooding_.Send(CallFloods::kReceived);
  EXPECT_THAT(floods_.Look(TrafficReading(&connections_)), ElementsAre(kFlooding));
  for (int i = 0; i < CallFloods::kLooks; ++i) floods_.Look(TrafficReading(&connections_));
  flooding_.Send(CallFloods::kReceived);
  EXPECT_THAT(floods_.Look(TrafficReading(&connections_)), IsEmpty());
}

}  // namespace
}  // namespace jobtail
