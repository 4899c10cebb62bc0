// Which addresses may be served at, with what protection.

#include "server/tls/reach.h"

#include <gmock/gmock.h>

namespace jobtail {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Reach, KnowsThisMachinesOwnAddresses) {
  for (const char* address : {"127.0.0.1:0", "127.8.8.8:1", "[::1]:1", "localhost:1",
                              "[::ffff:127.0.0.1]:1", "unix:/run/x"}) {
    EXPECT_FALSE(IsReachable(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0:0", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1", "[fe80::1]:1"}) {
    EXPECT_TRUE(IsReachable(address)) << address;
  }
}

TEST(Reach, OthersAreServedWithProtectionAlone) {
  const auto problem = [](const Protection& protection) {
    return std::string(CheckReach("--grpc-address", "0.0.0.0:1", protection).message());
  };
  EXPECT_THAT(problem({}), AllOf(HasSubstr("--grpc-address=0.0.0.0:1"), HasSubstr("--tls-cert"),
                                 HasSubstr("--insecure")));
  EXPECT_THAT(problem({.encrypts = true}), HasSubstr("no way to know who calls"));
  EXPECT_THAT(problem({.knows_callers = true}), HasSubstr("nothing is encrypted"));
  EXPECT_EQ(problem({.encrypts = true, .knows_callers = true}), "");
  EXPECT_EQ(problem({.insecure = true}), "");
  EXPECT_TRUE(CheckReach("--grpc-address", "127.0.0.1:1", {}).ok());
  EXPECT_TRUE(CheckReach("--grpc-address", "unix:/run/x", {}).ok());
}

}  // namespace
}  // namespace jobtail
