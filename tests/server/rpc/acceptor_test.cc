// Tests of the acceptor: limits, and moments without descriptors.

#include "server/rpc/acceptor.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "server/access/principal.h"
#include "server/access/quotas.h"
#include "server/rpc/connection_owners.h"
#include "tests/support/descriptor_shortage.h"
#include "tests/support/fake_clock.h"
#include "tests/support/observe.h"
#include "tests/support/passing_time.h"
#include "tests/support/raw_client.h"

namespace jobtail {
namespace {

using jobtail::testing::DescriptorShortage;
using jobtail::testing::Eventually;
using jobtail::testing::RawClient;

// Has what an acceptor hands on.
class Taker {
 public:
  explicit Taker(const Acceptor::Limits& limits = {}, Clock* clock = Clock::System())
      : acceptor_(limits, clock) {
    EXPECT_TRUE(acceptor_.Listen("127.0.0.1:0").ok());
    acceptor_.Start([this](const Acceptor::Handover& handover) {
      absl::MutexLock lock(&mutex_);
      taken_.push_back(handover.connection);
    });
  }
  ~Taker() {
    acceptor_.Stop();
    while (size() > 0) CloseOne();
  }

  Acceptor& acceptor() { return acceptor_; }
  const std::string& address() const { return acceptor_.address(); }

  size_t size() {
    absl::MutexLock lock(&mutex_);
    return taken_.size();
  }
  bool Has(size_t count) {
    return Eventually([&] { return size() == count; });
  }
  void CloseOne() {
    absl::MutexLock lock(&mutex_);
    close(taken_.back());
    taken_.pop_back();
  }

 private:
  absl::Mutex mutex_;
  std::vector<int> taken_;
  Acceptor acceptor_;
};

TEST(Acceptor, TellsThePortThatWasFree) {
  Taker taker;
  EXPECT_THAT(taker.address(), ::testing::MatchesRegex("127.0.0.1:[1-9][0-9]*"));
  Acceptor second({});
  EXPECT_EQ(second.Listen(taker.address()).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(second.Listen("nonsense").code(), absl::StatusCode::kInvalidArgument);
}

TEST(Acceptor, LeavesClientsWaitingThroughAMomentWithoutDescriptors) {
  if (jobtail::testing::kShortagesAreMisread) GTEST_SKIP() << "UBSan needs descriptors";
  FakeClock clock;  // stands still: the moment is short
  Taker taker({}, &clock);
  RawClient client;
  {
    const DescriptorShortage shortage;
    ASSERT_TRUE(client.Connect(taker.address()));
    ASSERT_TRUE(Eventually([&] { return !taker.acceptor().CheckHealth().ok(); }));
    EXPECT_EQ(taker.size(), 0);
  }
  EXPECT_TRUE(taker.Has(1));
  EXPECT_TRUE(taker.acceptor().CheckHealth().ok());
  EXPECT_EQ(taker.acceptor().refused_connections(), 0);
}

TEST(Acceptor, ClosesConnectionsWhileThereAreNoDescriptorsForLong) {
  if (jobtail::testing::kShortagesAreMisread) GTEST_SKIP() << "UBSan needs descriptors";
  FakeClock clock;
  const PassingTime passing(&clock);
  Taker taker({}, &clock);
  RawClient refused;
  RawClient later;
  {
    const DescriptorShortage shortage;
    ASSERT_TRUE(refused.Connect(taker.address()));
    EXPECT_TRUE(refused.AwaitClose());
    EXPECT_EQ(taker.acceptor().CheckHealth().code(), absl::StatusCode::kResourceExhausted);
  }
  ASSERT_TRUE(later.Connect(taker.address()));
  EXPECT_TRUE(taker.Has(1));
  EXPECT_TRUE(Eventually([&] { return taker.acceptor().CheckHealth().ok(); }));
  EXPECT_EQ(taker.acceptor().refused_connections(), 1);
}

// How often the thread of that name has slept.
int64_t Sleeps(const std::string& name) {
  int64_t sleeps = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (jobtail::testing::ReadFile(thread.path() / "comm") != name + "\n") continue;
    std::ifstream status(thread.path() / "status");
    for (std::string word; status >> word;) {
      if (word == "voluntary_ctxt_switches:") status >> sleeps;
    }
  }
  return sleeps;
}

TEST(Acceptor, SleepsWhileNobodyIsConnected) {
  Taker taker;
  {
    RawClient client;
    ASSERT_TRUE(client.Connect(taker.address()));
    ASSERT_TRUE(taker.Has(1));
  }
  taker.CloseOne();
  ASSERT_TRUE(Eventually([&] { return taker.acceptor().connections() == 0; }));
  const int64_t before = Sleeps("grpc-accept");
  EXPECT_GT(before, 0);
  std::this_thread::sleep_for(std::chrono::seconds(1));  // the time that is asked about
  EXPECT_LE(Sleeps("grpc-accept"), before + 2);
  RawClient client;
  ASSERT_TRUE(client.Connect(taker.address()));
  EXPECT_TRUE(taker.Has(1));
}

// Those that are closed leave their places to others.
void ExpectTwoAtMost(const Acceptor::Limits& limits) {
  FakeClock clock;
  const PassingTime passing(&clock);
  Taker taker(limits, &clock);
  RawClient first;
  RawClient second;
  RawClient third;
  ASSERT_TRUE(first.Connect(taker.address()) && second.Connect(taker.address()));
  ASSERT_TRUE(taker.Has(2));
  ASSERT_TRUE(third.Connect(taker.address()));
  EXPECT_TRUE(third.AwaitClose());
  EXPECT_EQ(taker.acceptor().refused_connections(), 1);
  EXPECT_EQ(taker.acceptor().connections(), 2);
  taker.CloseOne();
  EXPECT_TRUE(Eventually([&] {
    RawClient fourth;
    return fourth.Connect(taker.address()) && taker.size() == 2;
  }));
}

TEST(Acceptor, ClosesConnectionsBeyondItsLimit) {
  ExpectTwoAtMost({.connections = 2, .connections_of_address = 10});
}

TEST(Acceptor, ClosesConnectionsOfAnAddressBeyondItsLimit) {
  ExpectTwoAtMost({.connections = 10, .connections_of_address = 2});
}

// With TLS, they count until then as handshakes, of which an address may have so many.
TEST(Acceptor, ClosesConnectionsBeyondThoseThatMayHaveMadeNoCall) {
  FakeClock clock;  // stands still: they have all their time
  Taker taker({.handshakes = {.total = 10, .of_address = 2}}, &clock);
  RawClient first;
  RawClient second;
  RawClient third;
  RawClient fourth;
  ASSERT_TRUE(first.Connect(taker.address()) && second.Connect(taker.address()));
  ASSERT_TRUE(taker.Has(2));
  ASSERT_TRUE(third.Connect(taker.address()));
  EXPECT_TRUE(third.AwaitClose());
  EXPECT_EQ(taker.acceptor().refused_connections(), 1);
  taker.acceptor().Called(first.Name(), 0);
  ASSERT_TRUE(fourth.Connect(taker.address()));
  EXPECT_TRUE(taker.Has(3)) << "one has made its call";
}

// Where it is asked who calls: two connections may be nobody's, and as many again of callers who
// are admitted though they do not say who they are.
class AcceptorOfStrangers : public ::testing::Test {
 protected:
  // Whether it is taken, and not closed.
  bool Connect(RawClient* client) {
    const size_t before = taker_.size();
    std::string nothing;
    return client->Connect(taker_.address()) &&
           Eventually([&] { return taker_.size() > before || !client->Receive(&nothing); }) &&
           taker_.size() > before;
  }
  bool ConnectAnother() {
    clock_.Advance(absl::Milliseconds(20));  // for as long, nobody looks again for room
    RawClient client;
    return Connect(&client);
  }
  absl::Status Call(const RawClient& client, const access::Principal& principal) {
    return taker_.acceptor().Own(client.Name(), principal, [] { return access::Quotas::Place(); });
  }

  FakeClock clock_;
  const absl::Duration begin_ = clock_.Steady();
  Taker taker_{{.newcomers = {.total = 2, .of_address = 2}}, &clock_};
  std::string nothing_;
};

TEST_F(AcceptorOfStrangers, HasThoseGiveWayThatWereSilentForLong) {
  RawClient known;
  RawClient silent[2];
  ASSERT_TRUE(Connect(&known));
  ASSERT_TRUE(Call(known, {.name = "alice", .proof = access::Proof::kToken}).ok());
  for (RawClient& client : silent) ASSERT_TRUE(Connect(&client));
  EXPECT_FALSE(ConnectAnother());
  clock_.Advance(ConnectionOwners::kPatience);
  EXPECT_TRUE(Eventually([&] { return ConnectAnother(); }));
  for (RawClient& client : silent) EXPECT_TRUE(client.AwaitClose());
  EXPECT_TRUE(known.Receive(&nothing_)) << "who is known does not notice";
}

TEST_F(AcceptorOfStrangers, HasThoseGiveWayAtOnceThatAreOneTooMany) {
  RawClient admitted[2];
  RawClient beyond[2];
  for (RawClient& client : admitted) {
    ASSERT_TRUE(Connect(&client));
    ASSERT_TRUE(Call(client, {.name = "anonymous"}).ok());
  }
  for (RawClient& client : beyond) ASSERT_TRUE(Connect(&client));
  EXPECT_EQ(Call(beyond[0], {.name = "anonymous"}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Eventually([&] { return ConnectAnother(); }));
  EXPECT_LT(clock_.Steady() - begin_, ConnectionOwners::kPatience);
  EXPECT_TRUE(beyond[0].AwaitClose());
  EXPECT_TRUE(beyond[1].Receive(&nothing_)) << "it may still say who it is";
  EXPECT_TRUE(admitted[0].Receive(&nothing_));
}

}  // namespace
}  // namespace jobtail
