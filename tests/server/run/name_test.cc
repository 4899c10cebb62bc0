// Tests of the form of names.

#include "server/run/name.h"

#include <gtest/gtest.h>

#include <string>

namespace jobtail {
namespace {

TEST(IsName, TakesLowerCaseLettersDigitsUnderscoresAndPerhapsDashes) {
  EXPECT_TRUE(IsName("a", false));
  EXPECT_TRUE(IsName("a1_b", false));
  EXPECT_TRUE(IsName("a-b", true));
  EXPECT_FALSE(IsName("a-b", false));
  EXPECT_TRUE(IsName(std::string(63, 'x'), true));
  for (const char* name : {"", "A", "1a", "-a", "a b", "a.b", "a/b", "\xC3\xA9"}) {
    EXPECT_FALSE(IsName(name, true)) << name;
  }
  EXPECT_FALSE(IsName(std::string(64, 'x'), true));
}

}  // namespace
}  // namespace jobtail
