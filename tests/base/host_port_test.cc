// Tests of addresses that are HOST:PORT and of those that are not.

#include "base/host_port.h"

#include <gtest/gtest.h>

namespace jobtail {
namespace {

TEST(ParseHostPortTest, ReadsHostsAndAddresses) {
  for (const char* text :
       {"localhost:0", "127.0.0.1:50051", "[::1]:8080", "[fe80::1%eth0]:65535"}) {
    const std::optional<HostPort> address = ParseHostPort(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseHostPort("[::1]:8080")->host, "::1");
  EXPECT_EQ(ParseHostPort("[::1]:8080")->port, 8080);
  EXPECT_EQ(ParseHostPort("[host]:1")->ToString(), "host:1");
}

TEST(ParseHostPortTest, TakesNothingElse) {
  for (const char* text : {"",
                           ":",
                           "host",
                           "host:",
                           ":80",
                           "host:x",
                           "host:-1",
                           "host:+1",
                           "host: 1",
                           "host:65536",
                           "host:99999999999",
                           "::1",
                           "::1:80",
                           "a:b:80",
                           "[::1]",
                           "[::1]:",
                           "[::1:80",
                           "::1]:80",
                           "[]:80",
                           "[::1]x:80",
                           "http://host:80"}) {
    EXPECT_FALSE(ParseHostPort(text).has_value()) << text;
  }
}

TEST(HostOfTest, LeavesOutThePort) {
  EXPECT_EQ(HostOf("host"), "host");
  EXPECT_EQ(HostOf("host:80"), "host");
  EXPECT_EQ(HostOf("[::1]:80"), "::1");
  EXPECT_EQ(HostOf("[::1]"), "::1");
  EXPECT_EQ(HostOf("[::1"), "");
  EXPECT_EQ(HostOf("[::1]evil"), "");
  EXPECT_EQ(HostOf(""), "");
}

}  // namespace
}  // namespace jobtail
