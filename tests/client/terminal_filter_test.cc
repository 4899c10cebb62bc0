// Tests of what a terminal gets of a job's bytes.

#include "client/cli/terminal_filter.h"

#include <gtest/gtest.h>

#include <string>

namespace jobtail::client::cli {
namespace {

std::string Shown(std::string_view bytes) {
  TerminalFilter filter;
  std::string whole;
  filter.Append(bytes, &whole);
  TerminalFilter pieces;
  std::string piecewise;
  for (const char byte : bytes) pieces.Append({&byte, 1}, &piecewise);
  EXPECT_EQ(whole, piecewise) << "wherever it is cut";
  return whole;
}

TEST(TerminalFilter, LetsTextThroughAsItIs) {
  for (const char* text : {"plain\ttext\n", "Grüße 🚀 ✓ 漢字 e\u0301\n", "10%\r20%\r\n",
                           "spin|\b/\b-\b", "", "a < b && c > d [0m ]0; \\ ^_"}) {
    EXPECT_EQ(Shown(text), text);
  }
}

TEST(TerminalFilter, LetsColoursStylesAndTheErasedLineThrough) {
  for (const char* text : {"\x1b[1;31mred\x1b[0m", "\x1b[mx", "\x1b[38;5;208mx",
                           "\x1b[38:2::1:2:3mx", "\x1b[4:3mx", "10%\r\x1b[K20%", "\x1b[2Kx"}) {
    EXPECT_EQ(Shown(text), text);
  }
}

TEST(TerminalFilter, LeavesOutWhatATerminalObeys) {
  for (const char* sequence : {"\x1b[2J",
                               "\x1b[H",
                               "\x1b[10;10H",
                               "\x1b[6n",
                               "\x1b[c",
                               "\x1b[>c",
                               "\x1b[?1049h",
                               "\x1b[3A",
                               "\x1b[5i",
                               "\x1b[>4;2m",
                               "\x1b[?4m",
                               "\x1b[1 m",
                               "\x1b[21t",
                               "\x1b[20K",
                               "\x1b[!p",
                               "\x1b[1$}",
                               "\x1b]0;title\x07",
                               "\x1b]0;title\x1b\\",
                               "\x1b]52;c;aGk=\x07",
                               "\x1b]8;;http://x\x1b\\",
                               "\x1b]0;t\xc3\x9ctle\x07",
                               "\x1bP$qm\x1b\\",
                               "\x1bPq#0~\x1b\\",
                               "\x1b_Ga=T;AAAA\x1b\\",
                               "\x1b^pm\x1b\\",
                               "\x1bXsos\x1b\\",
                               "\x1b"
                               "c",
                               "\x1b(B",
                               "\x1b)0",
                               "\x1b#8",
                               "\x1b%G",
                               "\x1b=",
                               "\x1b"
                               "7",
                               "\x1bM",
                               "\x1b"
                               "E",
                               "\x1b[\x1b[6n",
                               "\x1b\x1b]0;x\x07",
                               "\xc2\x9b"
                               "6n",
                               "\xc2\x9d"
                               "0;x\x07",
                               "\xc2\x90q\xc2\x9c",
                               "\x9b"
                               "6n",
                               "\x9d"
                               "0;x\x9c",
                               "\x90q\x9c",
                               "\x07",
                               "\x05",
                               "\x0e",
                               "\x0f",
                               "\x0b",
                               "\x0c",
                               "\x7f",
                               "\x1b[31\x18",
                               "\x1b]0;x\x1a",
                               "\xc2\x85",
                               "\x84"}) {
    EXPECT_EQ(Shown(std::string("a") + sequence + "b"), "ab") << sequence + 1;
  }
  EXPECT_EQ(Shown(std::string_view("a\0b", 3)), "ab");
}

TEST(TerminalFilter, HidesNoMoreThanTheLineOfASequenceThatIsNotComplete) {
  EXPECT_EQ(Shown("a\x1b]0;title\nb"), "a\nb");
  EXPECT_EQ(Shown("a\x1bP1;2\rb"), "a\rb");
  EXPECT_EQ(Shown("a\x1b[31\nb"), "a\nb");
  EXPECT_EQ(Shown("a\x1b\nb"), "a\nb");
  EXPECT_EQ(Shown("a\x1b[3\xc3\xbc"), "a\xc3\xbc");
  EXPECT_EQ(Shown("\x1b[" + std::string(1000, '1') + "mx"), "x");
}

TEST(TerminalFilter, MakesNoControlCharacterOfHalves) {
  EXPECT_EQ(Shown("\xc2"
                  "a"),
            "\ufffd"
            "a");
  EXPECT_EQ(Shown("\xc2\x1b[6na"),
            "\ufffd"
            "a");
  EXPECT_EQ(Shown("\xff\xfe"), "\ufffd\ufffd");
  EXPECT_EQ(Shown("\xe0\x82\x9b"), "\ufffd") << "an overlong control sequence introducer";
  std::string shown;
  TerminalFilter out, err;
  out.Append("\xc2", &shown);
  err.Append(
      "\x9b"
      "6n",
      &shown);
  EXPECT_EQ(shown, "");
}

TEST(TerminalFilter, KnowsWhetherAStyleIsLeft) {
  TerminalFilter filter;
  std::string shown;
  filter.Append("\x1b[31m", &shown);
  EXPECT_TRUE(filter.is_styled());
  filter.Append("\x1b[1;0m", &shown);
  EXPECT_FALSE(filter.is_styled());
  filter.Append("\x1b[7m\x1b[m", &shown);
  EXPECT_FALSE(filter.is_styled());
}

}  // namespace
}  // namespace jobtail::client::cli
