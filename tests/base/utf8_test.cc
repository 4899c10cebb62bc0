// Tests of UTF-8's check and repair, against the library utf8proc.

#include "base/utf8.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <cstdint>
#include <string>

namespace jobtail {
namespace {

TEST(FirstCharacterTest, AgreesWithTheLibraryAboutAllShortSequences) {
  // Of the bytes that continue a sequence, the bounds of every range that matters.
  const std::string_view next("\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xff", 10);
  for (int first = 0; first < 256; ++first) {
    for (const char second : next) {
      for (const char third : next) {
        for (const char fourth : next) {
          const char text[] = {static_cast<char>(first), second, third, fourth};
          utf8proc_int32_t code;
          const auto bytes =
              utf8proc_iterate(reinterpret_cast<const uint8_t*>(text), sizeof text, &code);
          const Utf8Character character = FirstCharacter({text, sizeof text});
          ASSERT_EQ(character.valid, bytes > 0) << first;
          if (bytes <= 0) continue;
          ASSERT_EQ(character.bytes, static_cast<size_t>(bytes));
          ASSERT_EQ(character.code, static_cast<char32_t>(code));
        }
      }
    }
  }
}

TEST(IsUtf8Test, LooksAtEveryByte) {
  std::string text(40, 'x');
  EXPECT_TRUE(IsUtf8(text));
  EXPECT_TRUE(IsUtf8(""));
  for (size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = '\xe9';
    EXPECT_FALSE(IsUtf8(bad)) << at;
    EXPECT_TRUE(IsUtf8(text.substr(0, at) + "é世🚀" + text.substr(at))) << at;
  }
  EXPECT_FALSE(IsUtf8("cut off \xe4\xb8"));
}

TEST(CopyAsciiTest, CopiesEachByteAndLooksAtIt) {
  for (size_t size = 0; size < 80; ++size) {
    std::string text(size, 'x');
    std::string copy(size + 1, '.');
    EXPECT_TRUE(CopyAscii(text, copy.data()));
    EXPECT_EQ(copy, text + ".");
    for (size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_FALSE(CopyAscii(text, copy.data())) << size << " " << at;
      EXPECT_EQ(copy, text + ".");
      text[at] = static_cast<char>(at);
    }
  }
}

TEST(ToUtf8Test, LeavesValidTextAsItIs) {
  EXPECT_EQ(ToUtf8("café ✓", 100), "café ✓");
  EXPECT_EQ(ToUtf8("", 100), "");
}

TEST(ToUtf8Test, PutsAQuestionMarkForEachBadByte) {
  EXPECT_EQ(ToUtf8("caf\xE9!", 100), "caf?!");
  EXPECT_EQ(ToUtf8("\xFF\xFE", 100), "??");
  EXPECT_EQ(ToUtf8("\xed\xa0\x80", 100), "???");
}

TEST(ToUtf8Test, CutsBetweenCharacters) {
  const std::string text = "aé✓😀z";
  EXPECT_EQ(ToUtf8(text, 2), "a");
  EXPECT_EQ(ToUtf8(text, 3), "aé");
  EXPECT_EQ(ToUtf8(text, 9), "aé✓");
  EXPECT_EQ(ToUtf8(text, 10), "aé✓😀");
  EXPECT_EQ(ToUtf8(text, 0), "");
}

TEST(DropByteOrderMarkTest, AtTheBeginningAlone) {
  for (const auto& [text, rest] : {std::pair<std::string, std::string>{"", ""},
                                   {"\xEF\xBB\xBF", ""},
                                   {"\xEF\xBB", "\xEF\xBB"},
                                   {"\xEF\xBB\xBFjob {}", "job {}"},
                                   {"\xEF\xBB\xBF\xEF\xBB\xBF", "\xEF\xBB\xBF"},
                                   {"a\xEF\xBB\xBF", "a\xEF\xBB\xBF"}}) {
    std::string dropped = text;
    DropByteOrderMark(&dropped);
    EXPECT_EQ(dropped, rest);
  }
}

}  // namespace
}  // namespace jobtail
