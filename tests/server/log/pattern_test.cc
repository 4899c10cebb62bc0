// Tests of what patterns hold. What they refuse is tested with filters.

#include "server/log/pattern.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

TEST(Pattern, IsCompiledOnceForAllWhoHaveTheSame) {
  const auto one = Pattern::Make("the same [0-9]+");
  const auto other = Pattern::Make("the same [0-9]+");
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(one->Compiled(), other->Compiled());
  EXPECT_TRUE(RE2::PartialMatch("the same 1", *one->Compiled()));
}

TEST(Pattern, HoldsNothingOfRe2WhileItWaits) {
  const auto waits = Pattern::Make("waits [0-9]+");
  const std::weak_ptr<const RE2> compiled = waits->Compiled();
  EXPECT_FALSE(compiled.expired()) << "it may be used again soon";
  for (size_t i = 0; i < Pattern::kKept; ++i) {
    EXPECT_TRUE(Pattern::Make(absl::StrCat("another's [0-9]+ ", i)).ok());
  }
  EXPECT_TRUE(compiled.expired());
  EXPECT_TRUE(RE2::PartialMatch("waits 1", *waits->Compiled())) << "it is made anew";
}

TEST(Pattern, KeepsWhatWasUsedLast) {
  const auto used = Pattern::Make("used [0-9]+");
  const std::weak_ptr<const RE2> compiled = used->Compiled();
  for (size_t i = 0; i < 3 * Pattern::kKept; ++i) {
    EXPECT_TRUE(Pattern::Make(absl::StrCat("passing by [0-9]+ ", i)).ok());
    EXPECT_TRUE(used->Compiled());
  }
  EXPECT_FALSE(compiled.expired());
}

}  // namespace
}  // namespace jobtail
