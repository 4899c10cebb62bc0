// Tests of what the name of a connection tells.
#include "base/connection_name.h"

#include <gtest/gtest.h>

#include <optional>

namespace jobtail {
namespace {

TEST(ConnectionName, HasAnAddressAndAPort) {
  EXPECT_EQ(AddressOf("ipv4:127.0.0.1:50000"), "127.0.0.1");
  EXPECT_EQ(AddressOf("http:127.0.0.1:50000"), "127.0.0.1");
  EXPECT_EQ(AddressOf("http:::ffff:127.0.0.1:50000"), "127.0.0.1");
  EXPECT_EQ(AddressOf("ipv6:[::ffff:1.2.3.4]:78"), "1.2.3.4");
  EXPECT_EQ(AddressOf("ipv6:%5B2001:db8::1%5D:50000"), "2001:db8::1");
  EXPECT_EQ(AddressOf("http:2001:db8::1:50000"), "2001:db8::1");
  EXPECT_EQ(AddressOf("ipv6:%5Bfe80::1%25eth0%5D:50000"), "fe80::1");
  EXPECT_EQ(AddressOf(""), "");
  EXPECT_EQ(PortOf("ipv6:%5B2001:db8::1%5D:50000"), 50000);
  EXPECT_EQ(PortOf("http:127.0.0.1:1"), 1);
  EXPECT_EQ(PortOf("unix:"), std::nullopt);
  EXPECT_EQ(PortOf(""), std::nullopt);
}

TEST(ConnectionName, OfAUnixSocketHasItsUserForAnAddress) {
  EXPECT_EQ(AddressOf("unix:uid=1000:1000,77,5,secret"), "unix:uid=1000");
  EXPECT_EQ(AddressOf("http:unix:uid=1000:12"), "unix:uid=1000");
  EXPECT_EQ(AddressOf("unix:"), "unix:");
}

TEST(ConnectionName, OfAnIpv6AddressCountsForItsNetwork) {
  EXPECT_EQ(ClientAddress("http:2001:db8:1:2:3:4:5:6:50000"), "2001:db8:1:2::");
  EXPECT_EQ(ClientAddress("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:78"), "2001:db8:1:2::");
  EXPECT_EQ(ClientAddress("ipv6:[2001:db8:1:2:9::1]:78"), "2001:db8:1:2::");
  EXPECT_EQ(ClientAddress("http:fe80::1%eth0:78"), "fe80::");
  EXPECT_EQ(ClientAddress("http:::ffff:127.0.0.1:50000"), "127.0.0.1");
  EXPECT_EQ(ClientAddress("ipv4:1.2.3.4:56"), "1.2.3.4");
  EXPECT_EQ(ClientAddress("unix:uid=0:0,1,2,secret"), "unix:uid=0");
  EXPECT_EQ(NetworkOf("no address: at all"), "no address: at all");
}

}  // namespace
}  // namespace jobtail
