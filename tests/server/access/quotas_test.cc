// Tests of how much each principal has, on a clock that stands still.
#include "server/access/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/fake_clock.h"

namespace jobtail::access {
namespace {

using Kind = Quotas::Kind;

class QuotasTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  Quotas quotas_{&clock_};
};

TEST_F(QuotasTest, APlaceIsGivenBack) {
  auto first = quotas_.Enter(Kind::kStreams, "a", 1);
  ASSERT_TRUE(first.ok());
  const auto second = quotas_.Enter(Kind::kStreams, "a", 1);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(RetryAfter(second.status()), absl::ZeroDuration());
  {
    const Quotas::Place moved = *std::move(first);
    EXPECT_FALSE(quotas_.Enter(Kind::kStreams, "a", 1).ok());
  }
  EXPECT_TRUE(quotas_.Enter(Kind::kStreams, "a", 1).ok());
}

TEST_F(QuotasTest, OthersAndOtherKindsDoNotNotice) {
  const auto first = quotas_.Enter(Kind::kStreams, "a", 1);
  EXPECT_TRUE(quotas_.Enter(Kind::kStreams, "b", 1).ok());
  EXPECT_TRUE(quotas_.Enter(Kind::kActiveRuns, "a", 1).ok());
  EXPECT_TRUE(quotas_.Enter(Kind::kStreams, "a", 0).ok());  // without limit
}

TEST_F(QuotasTest, CallsAreHeldToTheirRate) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(quotas_.TakeCall("a", 10).ok()) << i;
  const absl::Status refused = quotas_.TakeCall("a", 10);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryAfter(refused), absl::Milliseconds(100));
  EXPECT_TRUE(quotas_.TakeCall("b", 10).ok());
  clock_.Advance(absl::Milliseconds(100));
  EXPECT_TRUE(quotas_.TakeCall("a", 10).ok());
  EXPECT_FALSE(quotas_.TakeCall("a", 10).ok());
  EXPECT_EQ(quotas_.refused_calls(), 2);
  EXPECT_TRUE(quotas_.TakeCall("a", 0).ok());  // without limit
}

TEST_F(QuotasTest, GuessesFromAnAddressAreBounded) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(quotas_.NoteFailure("1.2.3.4", true).ok()) << i;
  EXPECT_EQ(quotas_.NoteFailure("1.2.3.4", true).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(quotas_.NoteFailure("1.2.3.5", true).ok());
  EXPECT_TRUE(quotas_.NoteFailure("1.2.3.4", false).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(quotas_.NoteFailure("1.2.3.4", true).ok());
  EXPECT_EQ(quotas_.failures(), 24);
  EXPECT_EQ(quotas_.refused_failures(), 1);
}

TEST(BucketsTest, AreBoundedWhateverTheKeys) {
  Buckets buckets;
  absl::Duration now = absl::Hours(1);
  for (size_t i = 0; i < 2 * Buckets::kMost; ++i) buckets.Take(absl::StrCat(i), 1, 10, now);
  EXPECT_LE(buckets.size(), Buckets::kMost + 1);
  now += absl::Minutes(1);  // all are full again, and make room
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(buckets.Take(absl::StrCat("new", i), 1, 1, now), absl::ZeroDuration());
  }
}

}  // namespace
}  // namespace jobtail::access
