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
  EXPECT_EQ(Shown("\xed\xa0\x80"), "\ufffd") << "a surrogate";
  EXPECT_EQ(Shown("\xf4\x9f\x99\x82"), "\ufffd") << "beyond Unicode";
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

std::string Drawn(std::string_view bytes) {
  OwnRows rows;
  TerminalFilter filter(&rows);
  std::string shown;
  filter.Append(bytes, &shown);
  return shown;
}

TEST(TerminalFilter, DrawsOnTheJobsOwnRows) {
  EXPECT_EQ(Drawn("a\nb\n\x1b[2A\x1b[KA\x1b[2B\n"), "a\nb\n\x1b[2A\x1b[KA\x1b[2B\n");
  EXPECT_EQ(Drawn("a\nb\x1b[FA\x1b[E\x1b[J"), "a\nb\r\x1b[1AA\r\x1b[1B\x1b[J");
  EXPECT_EQ(Drawn("a\nb\x1b[A\n\n"), "a\nb\x1b[1A\n\n");
}

TEST(TerminalFilter, DrawsOnNoOtherRows) {
  EXPECT_EQ(Drawn("\x1b[Aa\n\x1b[5Ab\x1b[5Bc"), "a\n\x1b[1Ab\x1b[1Bc");
  EXPECT_EQ(Drawn("\x1b[2Aa\x1b[2B\x1b[B\x1b[F\x1b[E"), "a\r\r");
  EXPECT_EQ(Drawn("\n\x1b[99999999999999999999A"), "\n\x1b[1A");
  EXPECT_EQ(Drawn("\x1b[2J\x1b[1J\x1b[3Ja\x1b[H\x1b[1;1H\x1b[2;3r\x1b[?1049h"), "a");
  std::string many(100, '\n');
  EXPECT_EQ(Drawn(many + "\x1b[99A"), many + "\x1b[23A") << "no more rows than a terminal has";
}

TEST(TerminalFilter, LeavesTheRowsBelow) {
  OwnRows rows;
  TerminalFilter out(&rows), err(&rows);
  std::string shown;
  out.Append("a\nb\n\x1b[2A", &shown);
  EXPECT_TRUE(rows.is_up());
  err.Append("\x1b[A", &shown);
  EXPECT_EQ(rows.Leave(), "\x1b[2B");
  EXPECT_FALSE(rows.is_up());
  out.Append("\x1b[A\x1b[B", &shown);
  EXPECT_EQ(shown, "a\nb\n\x1b[2A") << "both streams have one cursor";
}

TEST(TerminalFilter, DrawsLinesWithTheCharactersTheyStandFor) {
  EXPECT_EQ(Shown("\x1b(0lqk\x1b(B lqk"), "┌─┐ lqk");
  EXPECT_EQ(Shown("\x1b)0\x0emqj\x0f mqj"), "└─┘ mqj");
  EXPECT_EQ(Shown("\x1b(0\n`~_A\x1b(B"), "\n◆·_A");
  EXPECT_EQ(Shown("\x1b%(0lqk"), "lqk") << "another sequence";
}

TEST(TerminalFilter, TellsTheStyleThatItHasLeft) {
  TerminalFilter filter;
  std::string shown;
  filter.Append("\x1b[1m\x1b[31mred", &shown);
  EXPECT_EQ(filter.style(), "\x1b[1m\x1b[31m");
  filter.Append("\x1b[0;4m", &shown);
  EXPECT_EQ(filter.style(), "\x1b[0;4m");
  for (int i = 0; i < 1000; ++i) filter.Append("\x1b[38;5;17mx\x1b[39m", &shown);
  EXPECT_LE(filter.style().size(), 256u);
  EXPECT_TRUE(filter.style().starts_with("\x1b["));
}

}  // namespace
}  // namespace jobtail::client::cli
