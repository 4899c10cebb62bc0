// Tests of what follows from an attempt's secret.
#include "server/oidc/sign_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/escaping.h"

namespace jobtail::oidc {
namespace {

TEST(AttemptTest, HasValuesThatTellNothingOfOneAnother) {
  const Attempt attempt("secret");
  const Attempt other("another");
  const std::set<std::string> values = {attempt.state(),     attempt.nonce(),  attempt.verifier(),
                                        attempt.challenge(), other.state(),    other.nonce(),
                                        other.verifier(),    other.challenge()};
  EXPECT_EQ(values.size(), 8u);
  EXPECT_EQ(attempt.verifier(), Attempt("secret").verifier());
  EXPECT_EQ(attempt.verifier().size(), 43u);  // RFC 7636: 43 to 128 characters
}

TEST(AttemptTest, KnowsItsState) {
  const Attempt attempt("secret");
  EXPECT_TRUE(attempt.IsState(attempt.state()));
  EXPECT_FALSE(attempt.IsState(""));
  EXPECT_FALSE(attempt.IsState(attempt.state() + "x"));
  EXPECT_FALSE(attempt.IsState(Attempt("another").state()));
}

}  // namespace
}  // namespace jobtail::oidc
