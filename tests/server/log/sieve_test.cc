// Tests of what is known of a pattern before it is looked for.

#include "server/log/sieve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Sieve Make(const std::string& pattern,
           RE2::Options::Encoding encoding = RE2::Options::EncodingLatin1) {
  RE2::Options options;
  options.set_encoding(encoding);
  return Sieve::Make(pattern, options);
}

TEST(Sieve, OfAPatternWithoutOperatorsIsThePattern) {
  EXPECT_THAT(Make("x").literals(), ElementsAre("x"));
  EXPECT_THAT(Make("Not found").literals(), ElementsAre("Not found"));
  EXPECT_FALSE(Make("Not found").in_lower_case());
  EXPECT_THAT(Make("caf\xC3\xA9", RE2::Options::EncodingUTF8).literals(),
              ElementsAre("caf\xC3\xA9"));
}

TEST(Sieve, HasTheLongestLiteralOfThoseThatAreAllNeeded) {
  EXPECT_THAT(Make("abc.*longer").literals(), ElementsAre("longer"));
  EXPECT_THAT(Make(R"(^\d+ lost [0-9]{3}$)").literals(), ElementsAre(" lost "));
  EXPECT_THAT(Make("fail(ed|ure)?").literals(), ElementsAre("fail"));
}

TEST(Sieve, HasOneOfEachAlternative) {
  EXPECT_THAT(Make("error|warning").literals(), UnorderedElementsAre("error", "warning"));
  EXPECT_EQ(Make("(abc|def|ghi|jkl|mno|pqr|stu)").kind(), Sieve::Kind::kPattern) << "too many";
}

TEST(Sieve, IsInLowerCaseWhereLettersMayBeLarge) {
  EXPECT_FALSE(Make("error.*code").in_lower_case());
  for (const char* pattern :
       {"(?i)error", "[Ee]rror", "Error.*", R"(\x45rror)", R"(\105rror)", "(?:x|(?i:error))"}) {
    EXPECT_TRUE(Make(pattern).in_lower_case()) << pattern;
  }
}

TEST(Sieve, IsThePatternItselfWhereThatLooksAtNothingAround) {
  for (const char* pattern : {"[0-9]+", R"(\d\d)", "[^a]", R"(\^|\$)", "a*", "[a[^b]"}) {
    const Sieve sieve = Make(pattern);
    EXPECT_TRUE(sieve.kind() == Sieve::Kind::kPattern || !sieve.literals().empty()) << pattern;
  }
  for (const char* pattern : {"^[0-9]", "[0-9]$", R"(\b[0-9])", R"([0-9]\B)", R"(\A[0-9])",
                              R"([0-9]\z)", R"([0-9]|^)", R"((?m)^[0-9])", R"(\\^[0-9])"}) {
    const Sieve sieve = Make(pattern);
    EXPECT_NE(sieve.kind(), Sieve::Kind::kPattern) << pattern;
  }
}

TEST(Sieve, HasNoLiteralsOfOtherScripts) {
  EXPECT_THAT(Make("(?i)caf\xC3\xA9", RE2::Options::EncodingUTF8).literals(), IsEmpty());
}

TEST(LiteralFinder, FindsEachPlaceOnce) {
  const std::vector<std::string> literals = {"aa", "b"};
  LiteralFinder finder(literals);
  finder.LookInto("xaaxxbaa");
  EXPECT_EQ(finder.Find(0), 1u);
  EXPECT_EQ(finder.Find(1), 1u);
  EXPECT_EQ(finder.Find(2), 5u);
  EXPECT_EQ(finder.Find(6), 6u);
  EXPECT_EQ(finder.Find(7), LiteralFinder::kNowhere);
  EXPECT_EQ(finder.Find(8), LiteralFinder::kNowhere);
}

TEST(ToLowerCase, ChangesLettersOfAsciiAlone) {
  std::string all;
  for (int i = 0; i < 300; ++i) all.push_back(static_cast<char>(i));
  std::string lower;
  ToLowerCase(all, &lower);
  for (size_t i = 0; i < all.size(); ++i) {
    const bool is_large = all[i] >= 'A' && all[i] <= 'Z';
    EXPECT_EQ(lower[i], is_large ? all[i] + 32 : all[i]) << i;
  }
}

}  // namespace
}  // namespace jobtail
