#include "server/run/text.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/common.h>
#include <gtest/gtest.h>

#include <string>

namespace jobtail {
namespace {

bool IsUtf8(const std::string& text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                             static_cast<int>(text.size()));
}

TEST(ToUtf8, LeavesValidTextAsItIs) {
  EXPECT_EQ(ToUtf8("caf\xC3\xA9 \xE2\x9C\x93", 100), "caf\xC3\xA9 \xE2\x9C\x93");
  EXPECT_EQ(ToUtf8("", 100), "");
}

TEST(ToUtf8, PutsAQuestionMarkForEachBadByte) {
  EXPECT_EQ(ToUtf8("caf\xE9!", 100), "caf?!");
  EXPECT_EQ(ToUtf8("\xFF\xFE", 100), "??");
}

TEST(ToUtf8, CutsWhatIsTooLongAndStaysValid) {
  EXPECT_EQ(ToUtf8("abcdef", 3), "abc");
  for (size_t size = 0; size <= 12; ++size) {
    const std::string cut = ToUtf8("a\xC3\xA9\xE2\x9C\x93\xF0\x9F\x98\x80z", size);
    EXPECT_TRUE(IsUtf8(cut)) << size;
    EXPECT_LE(cut.size(), size);
  }
}

TEST(Quoted, EscapesAndCuts) {
  EXPECT_EQ(Quoted("plain"), "\"plain\"");
  EXPECT_EQ(Quoted("a\"b\n\xE9"), "\"a\\\"b\\n\\xe9\"");
  EXPECT_EQ(Quoted(std::string(101, 'x')), "\"" + std::string(100, 'x') + "\"...");
}

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
