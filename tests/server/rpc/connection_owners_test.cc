// Tests of whose a connection is, and of how many are nobody's.
#include "server/rpc/connection_owners.h"

#include <gmock/gmock.h>

#include <string>

#include "server/rpc/peer_name.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

using access::Quotas;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionOwnersTest : public ::testing::Test {
 protected:
  // A call of somebody who may have two connections.
  absl::Status Call(const std::string& peer, const std::string& owner) {
    return owners_.Own(peer, {.name = owner, .proof = access::Proof::kToken},
                       [&] { return quotas_.Enter(Quotas::Kind::kConnections, owner, 2); });
  }
  // Of somebody who says nothing of who it is, and is admitted.
  absl::Status CallAnonymously(const std::string& peer) {
    return owners_.Own(peer, {.name = "anonymous"}, [] { return Quotas::Place(); });
  }

  void Begin(const std::string& address, int port) { owners_.Began({address, port}, now_); }

  FakeClock clock_;
  Quotas quotas_{&clock_};
  absl::Duration now_ = absl::Hours(1);
  ConnectionOwners owners_{{.total = 4, .of_address = 2}};
};

TEST_F(ConnectionOwnersTest, BoundsThoseThatAreNobodys) {
  Begin("1.2.3.4", 1);
  EXPECT_TRUE(owners_.HasRoom({"1.2.3.4", 9}));
  Begin("1.2.3.4", 2);
  EXPECT_FALSE(owners_.HasRoom({"1.2.3.4", 9}));
  EXPECT_TRUE(owners_.HasRoom({"1.2.3.5", 9}));
  EXPECT_TRUE(Call("ipv4:1.2.3.4:1", "alice").ok());
  EXPECT_EQ(owners_.newcomers(), 1);
  EXPECT_TRUE(owners_.HasRoom({"1.2.3.4", 9}));
  owners_.Ended({"1.2.3.4", 2});
  EXPECT_EQ(owners_.newcomers(), 0);
}

TEST_F(ConnectionOwnersTest, BoundsThoseOfAnOwner) {
  for (int port = 1; port <= 4; ++port) Begin("1.2.3.4", port);
  EXPECT_TRUE(Call("ipv4:1.2.3.4:1", "alice").ok());
  EXPECT_TRUE(Call("ipv4:1.2.3.4:1", "alice").ok()) << "once for each connection";
  EXPECT_TRUE(Call("ipv4:1.2.3.4:2", "alice").ok());
  const absl::Status refused = Call("ipv4:1.2.3.4:3", "alice");
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(access::RetryAfter(refused), absl::ZeroDuration());
  EXPECT_TRUE(Call("ipv4:1.2.3.4:4", "bob").ok());
  owners_.Ended({"1.2.3.4", 1});
  EXPECT_TRUE(Call("ipv4:1.2.3.4:3", "alice").ok());
  EXPECT_TRUE(Call("ipv4:1.2.3.4:3", "bob").ok()) << "one that many share, as a proxy's";
  EXPECT_TRUE(Call("ipv4:1.2.3.4:9", "alice").ok()) << "none of ours";
}

// As many as of newcomers, whose places they leave.
TEST_F(ConnectionOwnersTest, BoundsThoseThatAreAdmittedWithoutAProof) {
  for (int port = 1; port <= 4; ++port) Begin("1.2.3.4", port);
  EXPECT_TRUE(CallAnonymously("ipv4:1.2.3.4:1").ok());
  EXPECT_TRUE(CallAnonymously("ipv4:1.2.3.4:1").ok()) << "once for each connection";
  EXPECT_TRUE(CallAnonymously("ipv4:1.2.3.4:2").ok());
  EXPECT_EQ(owners_.newcomers(), 2);
  EXPECT_EQ(owners_.anonymous(), 2);
  const absl::Status refused = CallAnonymously("ipv4:1.2.3.4:3");
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(access::RetryAfter(refused), absl::ZeroDuration());
  EXPECT_THAT(owners_.Overdue(now_), ElementsAre(OpenConnections::Client("1.2.3.4", 3)))
      << "it makes room at once";
  EXPECT_TRUE(Call("ipv4:1.2.3.4:3", "alice").ok()) << "who is known does not notice";
  EXPECT_THAT(owners_.Overdue(now_), IsEmpty());
  Begin("1.2.3.5", 1);
  EXPECT_TRUE(CallAnonymously("ipv4:1.2.3.5:1").ok());
  EXPECT_TRUE(Call("ipv4:1.2.3.4:1", "alice").ok()) << "who has signed in by now";
  EXPECT_EQ(owners_.anonymous(), 2);
  EXPECT_TRUE(CallAnonymously("ipv4:1.2.3.4:4").ok());
  for (int port = 1; port <= 4; ++port) owners_.Ended({"1.2.3.4", port});
  owners_.Ended({"1.2.3.5", 1});
  EXPECT_EQ(owners_.anonymous(), 0);
}

TEST_F(ConnectionOwnersTest, TellsThoseThatWereNobodysForLong) {
  Begin("1.2.3.4", 1);
  Begin("1.2.3.4", 2);
  EXPECT_TRUE(Call("ipv4:1.2.3.4:2", "alice").ok());
  EXPECT_THAT(owners_.Overdue(now_ + absl::Seconds(59)), IsEmpty());
  EXPECT_THAT(owners_.Overdue(now_ + absl::Seconds(61)),
              ElementsAre(OpenConnections::Client("1.2.3.4", 1)));
}

TEST_F(ConnectionOwnersTest, KnowsPeersOfUnixSockets) {
  const PeerIdentity peer{.kind = PeerIdentity::Kind::kSocket, .uid = 7, .gid = 7, .pid = 1};
  Begin("unix:uid=7", 5);
  EXPECT_TRUE(Call("unix:" + MakePeerName(peer, 5), "uid:7").ok());
  EXPECT_EQ(owners_.newcomers(), 0);
}

}  // namespace
}  // namespace jobtail
