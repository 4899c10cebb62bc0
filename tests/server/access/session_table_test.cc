// Tests of when sessions end.
#include "server/access/session_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace jobtail::access {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(500'000);

Principal Someone(absl::Time expires = absl::InfiniteFuture()) {
  return {.name = "alice", .proof = Proof::kToken, .token_id = "1", .expires = expires};
}

TEST(SessionTableTest, ASessionIsThatOfItsPrincipal) {
  SessionTable sessions;
  const std::string secret = sessions.Begin(Someone(), kNow).value();
  const auto found = sessions.Find(secret, kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "alice");
  EXPECT_EQ(found->token_id, "1");
  EXPECT_EQ(found->proof, Proof::kSession);
  EXPECT_TRUE(sessions.Has(*found->session));
  EXPECT_FALSE(sessions.Find(secret + "0", kNow));
  EXPECT_FALSE(sessions.Find("", kNow));
}

TEST(SessionTableTest, ItEndsWithItsTokenAndAfterSomeHours) {
  SessionTable sessions;
  const std::string brief = sessions.Begin(Someone(kNow + absl::Hours(1)), kNow).value();
  const std::string longest = sessions.Begin(Someone(), kNow).value();
  EXPECT_TRUE(sessions.Find(brief, kNow + absl::Minutes(59)));
  EXPECT_FALSE(sessions.Find(brief, kNow + absl::Hours(1)));
  EXPECT_TRUE(sessions.Find(longest, kNow + absl::Hours(1)));
  EXPECT_FALSE(sessions.Find(longest, kNow + SessionTable::kLongest));
}

TEST(SessionTableTest, ItEndsWhenItsPrincipalSignsOut) {
  SessionTable sessions;
  const std::string secret = sessions.Begin(Someone(), kNow).value();
  const std::string other = sessions.Begin(Someone(), kNow).value();
  const auto digest = *sessions.Find(secret, kNow)->session;
  EXPECT_TRUE(sessions.End(secret));
  EXPECT_FALSE(sessions.Find(secret, kNow));
  EXPECT_FALSE(sessions.Has(digest));
  EXPECT_TRUE(sessions.Find(other, kNow));
  EXPECT_FALSE(sessions.End(secret));
}

TEST(SessionTableTest, TheOldestOfManyMakesRoom) {
  SessionTable sessions;
  std::vector<std::string> secrets;
  for (size_t i = 0; i <= SessionTable::kMostOfOne; ++i) {
    secrets.push_back(sessions.Begin(Someone(), kNow + absl::Seconds(i)).value());
  }
  EXPECT_EQ(sessions.size(), SessionTable::kMostOfOne);
  EXPECT_FALSE(sessions.Find(secrets[0], kNow));
  EXPECT_TRUE(sessions.Find(secrets[1], kNow));
}

}  // namespace
}  // namespace jobtail::access
