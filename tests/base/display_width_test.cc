// Tests of columns counted and cut, for wide, combining and joined characters.

#include "base/display_width.h"

#include <gtest/gtest.h>

namespace jobtail {
namespace {

TEST(DisplayWidthTest, CountsColumns) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("plain"), 5U);
  EXPECT_EQ(DisplayWidth("Grüße…"), 6U);
  EXPECT_EQ(DisplayWidth("世界"), 4U);
  EXPECT_EQ(DisplayWidth("ｱｲｳ"), 3U);   // halfwidth forms
  EXPECT_EQ(DisplayWidth("ＡＢ"), 4U);  // fullwidth forms
  EXPECT_EQ(DisplayWidth("한국어"), 6U);
}

TEST(DisplayWidthTest, CombiningMarksTakeNone) {
  EXPECT_EQ(DisplayWidth("e\u0301"), 1U);
  EXPECT_EQ(DisplayWidth("\u0301"), 0U);
  EXPECT_EQ(DisplayWidth("\u1112\u1161\u11ab"), 2U);  // a syllable in its parts
  EXPECT_EQ(DisplayWidth("ก\u0e34\u0e49"), 1U);
}

TEST(DisplayWidthTest, EmojiTakeTheMostThatATerminalGivesThem) {
  EXPECT_EQ(DisplayWidth("🚀"), 2U);
  EXPECT_EQ(DisplayWidth("❤"), 1U);
  EXPECT_EQ(DisplayWidth("❤\ufe0f"), 2U);
  EXPECT_EQ(DisplayWidth("🇩🇪"), 2U);
  EXPECT_EQ(DisplayWidth("👍🏽"), 4U);
  EXPECT_EQ(DisplayWidth("👩\u200d💻"), 4U);
}

TEST(DisplayWidthTest, BadBytesTakeOneEach) { EXPECT_EQ(DisplayWidth("a\xff\xe4\xb8"), 4U); }

TEST(FitToWidthTest, CutsBetweenCharacters) {
  EXPECT_EQ(FitToWidth("Grüße", 5), "Grüße");
  EXPECT_EQ(FitToWidth("Grüße", 4), "Grü…");
  EXPECT_EQ(FitToWidth("Grüße", 1), "…");
  EXPECT_EQ(FitToWidth("Grüße", 0), "");
  EXPECT_EQ(FitToWidth("", 0), "");
}

TEST(FitToWidthTest, CutsWideCharactersWhereTheyFit) {
  EXPECT_EQ(FitToWidth("世界和平", 8), "世界和平");
  EXPECT_EQ(FitToWidth("世界和平", 7), "世界和…");
  EXPECT_EQ(FitToWidth("世界和平", 6), "世界…");
  EXPECT_EQ(FitToWidth("世界和平", 2), "…");
  EXPECT_EQ(FitToWidth("世", 1), "…");
}

TEST(FitToWidthTest, KeepsTogetherWhatIsSeenAsOne) {
  EXPECT_EQ(FitToWidth("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  EXPECT_EQ(FitToWidth("e\u0301e\u0301", 2), "e\u0301e\u0301");
  EXPECT_EQ(FitToWidth("👩\u200d💻x", 4), "…");
  EXPECT_EQ(FitToWidth("🇩🇪🇫🇷", 3), "🇩🇪…");
}

}  // namespace
}  // namespace jobtail
