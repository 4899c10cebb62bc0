// Tests of which connections count as open.
#include "server/rpc/open_connections.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Client = OpenConnections::Client;

int Socket() { return socket(AF_UNIX, SOCK_STREAM, 0); }

TEST(OpenConnections, AreForgottenWhenTheirDescriptorsAreClosed) {
  OpenConnections open;
  const int first = Socket();
  const int second = Socket();
  EXPECT_THAT(open.Add(first, {"10.0.0.1", 1}), IsEmpty());
  EXPECT_THAT(open.Add(second, {"10.0.0.1", 2}), IsEmpty());
  EXPECT_EQ(open.CountOf({"10.0.0.1", 9}), 2);
  EXPECT_THAT(open.Sweep(), IsEmpty());
  close(first);
  EXPECT_EQ(open.Find({"10.0.0.1", 1}), std::nullopt);
  EXPECT_EQ(open.Find({"10.0.0.1", 2}), second);
  EXPECT_THAT(open.Sweep(), ElementsAre(Pair("10.0.0.1", 1)));
  EXPECT_EQ(open.CountOf({"10.0.0.1", 9}), 1);
  EXPECT_THAT(open.Remove(second), ElementsAre(Pair("10.0.0.1", 2)));
  close(second);
  EXPECT_EQ(open.Count(), 0);
  EXPECT_EQ(open.CountOf({"10.0.0.1", 9}), 0);
}

TEST(OpenConnections, GiveWayToWhoHasTheirDescriptor) {
  OpenConnections open;
  const int fd = Socket();
  open.Add(fd, {"10.0.0.1", 1});
  EXPECT_THAT(open.Add(fd, {"10.0.0.2", 2}), ElementsAre(Pair("10.0.0.1", 1)));
  EXPECT_THAT(open.Sweep(), IsEmpty());
  EXPECT_EQ(open.Count(), 1);
  close(fd);
}

// A client that connects again from the port that it had has a new connection, however late the end
// of the last one is noticed.
TEST(OpenConnections, GiveWayToTheSameClientsNext) {
  OpenConnections open;
  const int before = Socket();
  open.Add(before, {"10.0.0.1", 1});
  const int next = Socket();
  close(before);
  EXPECT_THAT(open.Add(next, {"10.0.0.1", 1}), ElementsAre(Pair("10.0.0.1", 1)));
  EXPECT_THAT(open.Sweep(), IsEmpty()) << "the one that is open is not among those that ended";
  EXPECT_EQ(open.Find({"10.0.0.1", 1}), next);
  EXPECT_EQ(open.CountOf({"10.0.0.1", 1}), 1);
  close(next);
}

// To another address of the server it may have one from the same port.
TEST(OpenConnections, OfOneClientMayBeSeveral) {
  OpenConnections open;
  const Client client("10.0.0.1", 1);
  const int first = Socket();
  const int second = Socket();
  EXPECT_THAT(open.Add(first, client), IsEmpty());
  EXPECT_THAT(open.Add(second, client), IsEmpty());
  EXPECT_EQ(open.Count(), 2);
  EXPECT_EQ(open.CountOf(client), 2);
  close(second);
  EXPECT_EQ(open.Find(client), first);
  EXPECT_THAT(open.Sweep(), IsEmpty()) << "it has another";
  EXPECT_EQ(open.CountOf(client), 1);
  close(first);
  EXPECT_THAT(open.Sweep(), ElementsAre(client));
  EXPECT_EQ(open.Count(), 0);
}

TEST(OpenConnections, OfOneIpv6NetworkCountTogether) {
  OpenConnections open;
  const int first = Socket();
  const int second = Socket();
  open.Add(first, {"2001:db8:1:2::1", 7});
  open.Add(second, {"2001:db8:1:2:3::4", 7});
  EXPECT_EQ(open.CountOf({"2001:db8:1:2::5", 9}), 2);
  EXPECT_EQ(open.CountOf({"2001:db8:1:3::1", 7}), 0);
  EXPECT_EQ(open.Find({"2001:db8:1:2:3::4", 7}), second);
  close(first);
  close(second);
}

TEST(OpenConnections, KnowTheClientInTheNameOfAConnection) {
  EXPECT_THAT(*ClientOf("ipv4:127.0.0.1:50000"), Pair("127.0.0.1", 50000));
  EXPECT_THAT(*ClientOf("ipv6:%5B2001:db8::1%5D:50000"), Pair("2001:db8::1", 50000));
  EXPECT_THAT(*ClientOf("unix:uid=7:7,100,5,secret"), Pair("unix:uid=7", 5));
  EXPECT_EQ(ClientOf("unix:"), std::nullopt);
}

}  // namespace
}  // namespace jobtail
