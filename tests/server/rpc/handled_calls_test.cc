// Tests of what is counted of calls that handlers have.
#include "server/rpc/handled_calls.h"

#include <gmock/gmock.h>

#include <utility>

namespace jobtail {
namespace {

const HandledCalls::Client kClient{"127.0.0.1", 50000};
constexpr char kPeer[] = "ipv4:127.0.0.1:50000";

TEST(HandledCalls, CountsCallsAndThoseThatAreOpen) {
  HandledCalls handled;
  handled.Began(kClient);
  HandledCalls::Call first = handled.Begin(kPeer, 100);
  HandledCalls::Call second = handled.Begin(kPeer, 20);
  EXPECT_EQ(handled.Of(kClient).bytes, 120);
  EXPECT_EQ(handled.Of(kClient).calls, 2);
  EXPECT_EQ(handled.Of(kClient).open, 2);
  HandledCalls::Call moved = std::move(first);
  EXPECT_EQ(handled.Of(kClient).open, 2);
  moved.reset();
  second.reset();
  EXPECT_EQ(handled.Of(kClient).open, 0);
  EXPECT_EQ(handled.Of(kClient).calls, 2);
}

TEST(HandledCalls, ForgetsConnectionsThatAreOverWhateverComesLate) {
  HandledCalls handled;
  EXPECT_EQ(handled.Begin(kPeer, 100).use_count(), 0) << "nobody has begun";
  handled.Began(kClient);
  HandledCalls::Call late = handled.Begin(kPeer, 100);
  handled.Ended(kClient);
  EXPECT_EQ(handled.Begin(kPeer, 100).use_count(), 0);
  EXPECT_EQ(handled.All().size(), 0);
  handled.Began(kClient);  // another one, of the same port
  late.reset();
  EXPECT_EQ(handled.Of(kClient).open, 0);
  EXPECT_EQ(handled.Of(kClient).bytes, 0);
}

}  // namespace
}  // namespace jobtail
