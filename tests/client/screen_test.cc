// Tests of the screen, against what tmux shows of recorded sessions, and of when its rows leave it.

#include "client/cli/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/utf8.h"
#include "client/cli/terminal_filter.h"

namespace jobtail::client::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> TextsOf(const std::vector<ScreenRow>& rows) {
  std::vector<std::string> texts;
  for (const ScreenRow& row : rows) texts.push_back(row.text);
  return texts;
}

// A screen and what has left it.
class Drawing {
 public:
  explicit Drawing(bool styled = false) : screen_(styled) {}

  Drawing& Write(std::string_view bytes) {
    screen_.Write({.sequence = ++sequence_, .time = {}}, bytes, &rows_);
    return *this;
  }
  Drawing& Tick(int64_t times = 1) {
    while (times-- > 0) screen_.Tick(&rows_);
    return *this;
  }
  Drawing& Finish() {
    screen_.Finish(&rows_);
    return *this;
  }

  // Since the last call.
  std::vector<std::string> Rows() { return TextsOf(std::exchange(rows_, {})); }
  // All of it, rows that belong together as one line.
  std::string Lines() {
    std::string lines;
    for (const ScreenRow& row : std::exchange(rows_, {})) {
      absl::StrAppend(&lines, row.text, row.goes_on ? "" : "\n");
    }
    return lines;
  }
  int64_t first_held() const { return screen_.first_held(); }

 private:
  Screen screen_;
  std::vector<ScreenRow> rows_;
  int64_t sequence_ = 0;
};

std::vector<std::string> RowsOf(std::string_view bytes) {
  return Drawing().Write(bytes).Finish().Rows();
}

// --- recordings

// They were drawn from the top of an empty screen on.
constexpr char kHome[] = "\x1b[H";

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Rows without the blanks at their ends, and without blank ones at the end.
std::vector<std::string> Trimmed(std::vector<std::string> rows) {
  for (std::string& row : rows) row.erase(row.find_last_not_of(' ') + 1);
  while (!rows.empty() && rows.back().empty()) rows.pop_back();
  return rows;
}

// The text of a picture, which has styles and the character set for drawing lines.
std::vector<std::string> RowsOfPicture(const std::string& picture) {
  std::string text;
  TerminalFilter filter;
  filter.Append("\x1b)0", &text);
  filter.Append(picture, &text);
  for (size_t at = 0; (at = text.find('\x1b', at)) != std::string::npos;) {
    text.erase(at, text.find('m', at) + 1 - at);
  }
  return Trimmed(absl::StrSplit(text, '\n'));
}

class Recording : public ::testing::TestWithParam<std::string> {
 protected:
  const std::string bytes_ = Contents(absl::StrCat(JOBTAIL_RECORDINGS, "/", GetParam(), ".bytes"));
  const std::vector<std::string> picture_ =
      RowsOfPicture(Contents(absl::StrCat(JOBTAIL_RECORDINGS, "/", GetParam(), ".picture")));
};

TEST_P(Recording, IsWhatTmuxShows) {
  ASSERT_THAT(bytes_, Not(IsEmpty()));
  EXPECT_EQ(absl::StrJoin(Trimmed(RowsOf(kHome + bytes_)), "\n"), absl::StrJoin(picture_, "\n"));
}

TEST_P(Recording, IsTheSameInPieces) {
  for (const size_t size : {1, 7, 50}) {
    Drawing drawing;
    drawing.Write(kHome);
    for (size_t at = 0; at < bytes_.size(); at += size) drawing.Write(bytes_.substr(at, size));
    EXPECT_EQ(Trimmed(drawing.Finish().Rows()), picture_) << size << " bytes at once";
  }
}

TEST_P(Recording, HasNothingButTextInIt) {
  const std::string lines = Drawing().Write(bytes_).Finish().Lines();
  EXPECT_TRUE(IsUtf8(lines));
  for (const char c : lines) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(JOBTAIL_RECORDINGS)) {
    if (file.path().extension() == ".bytes") names.push_back(file.path().stem());
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Recording, ::testing::ValuesIn(Names()), [](const auto& test) {
  return absl::StrReplaceAll(test.param, {{"-", "_"}});
});

TEST(Recordings, AreThere) { EXPECT_GE(Names().size(), 22U); }

// --- when rows leave

TEST(Screen, KeepsRowsWhileTheyCanChange) {
  Drawing drawing;
  drawing.Write("one\ntwo\nthree\n");
  EXPECT_THAT(drawing.Rows(), IsEmpty());
  drawing.Write("\x1b[2A\x1b[KTWO\n");
  EXPECT_THAT(drawing.Finish().Rows(), ElementsAre("one", "TWO", "three"));
}

TEST(Screen, HandsOutWhatIsScrolledAway) {
  Drawing drawing;
  for (int i = 1; i <= 30; ++i) drawing.Write(absl::StrCat(i, "\n"));
  EXPECT_THAT(drawing.Rows(), ElementsAre("1", "2", "3", "4", "5", "6", "7"));
  EXPECT_EQ(drawing.first_held(), 8);
  EXPECT_EQ(drawing.Finish().Rows().size(), 23U);
  EXPECT_EQ(drawing.first_held(), 0);
}

TEST(Screen, HandsOutWhatIsCleared) {
  EXPECT_THAT(RowsOf("one\ntwo\x1b[H\x1b[2Jthree"), ElementsAre("one", "two", "three"));
  EXPECT_THAT(RowsOf("one\x1b"
                     "ctwo"),
              ElementsAre("one", "two"));
}

TEST(Screen, AProgressThatErasesAllBelowItIsNoClearedScreen) {
  EXPECT_THAT(RowsOf("10%\r\x1b[J20%\r\x1b[Jdone\n"), ElementsAre("done"));
  EXPECT_THAT(RowsOf("a 1%\nb 1%\n\x1b[2A\x1b[Ja 2%\nb 2%\n"), ElementsAre("a 2%", "b 2%"));
}

TEST(Screen, LinesThatAreTooLongForARowStayLines) {
  const std::string line = std::string(200, 'x') + "end";
  EXPECT_EQ(Drawing().Write(line + "\nnext\n").Finish().Lines(), line + "\nnext\n");
  EXPECT_EQ(Drawing().Write(std::string(80, 'x') + "\nnext\n").Finish().Lines(),
            std::string(80, 'x') + "\nnext\n");
  std::string wide = "a";
  for (int i = 0; i < 60; ++i) wide += "漢";
  EXPECT_EQ(Drawing().Write(wide + "\n").Finish().Lines(), wide + "\n") << "no blank within";
}

TEST(Screen, ALineIsOverWhereItsRestIsNot) {
  Drawing drawing;
  drawing.Write(std::string(100, 'x') + "\x1b[H\x1b[23B\x1b[2Ky\n");
  EXPECT_EQ(drawing.Finish().Lines(), std::string(80, 'x') + "y\n");
  drawing.Write(std::string(100, 'x') + "\x1b[A\r\x1b[Kshort");
  EXPECT_EQ(drawing.Finish().Lines(), "short\n" + std::string(20, 'x') + "\n");
  drawing.Write(std::string(100, 'x') + "\nthird\x1b[A\r\x1b[M");
  EXPECT_EQ(drawing.Finish().Lines(), std::string(80, 'x') + "\nthird\n");
  drawing.Write(std::string(100, 'x') + "\n").Tick(Screen::kSettled).Rows();
  drawing.Write("\x1b[2AY\x1b[2B\rnext\n");
  EXPECT_EQ(drawing.Finish().Lines(), "Y" + std::string(79, 'x') + "\nnext\n")
      << "its second row is printed already";
  drawing.Write(std::string(100, 'x') + "\x1b[A\r\x1b[Mz\n");
  EXPECT_EQ(drawing.Finish().Lines(), "z" + std::string(19, 'x') + "\n");
}

TEST(Screen, TheCursorStaysInItsScrollingRegion) {
  EXPECT_THAT(RowsOf("\x1b[5;10r\x1b[7;1H\x1b[9Ax\x1b[1;1Hy"), ElementsAre("y", "", "", "", "x"));
}

TEST(Screen, InsertsWhereThatIsTheMode) {
  EXPECT_THAT(RowsOf("abc\r\x1b[4hx\x1b[4ly"), ElementsAre("xybc"));
}

TEST(Screen, RowsThatWereNeverDrawnOnAreNobodys) {
  EXPECT_THAT(RowsOf("\x1b[5Ahere\n"), ElementsAre("here"));
  EXPECT_THAT(RowsOf("\x1b[3Ahere\x1b[3Bend"), ElementsAre("here", "", "", "    end"));
  EXPECT_THAT(RowsOf("\x1b[999999;999999Hx"), ElementsAre(std::string(79, ' ') + "x"));
  EXPECT_THAT(RowsOf(""), IsEmpty());
  EXPECT_THAT(RowsOf("\n\nx"), ElementsAre("", "", "x"));
}

TEST(Screen, NothingOfTheAlternateScreenIsKept) {
  EXPECT_THAT(RowsOf("before\n\x1b[?1049h\x1b[Hedited\n\n\x1b[24Htext\n\n\n\x1b[?1049lafter"),
              ElementsAre("before", "after"));
  EXPECT_THAT(RowsOf("before\n\x1b[?25;1049hkilled"), ElementsAre("before"));
}

// --- while nothing is drawn

TEST(Screen, HandsOutWhatHasStoodForAWhile) {
  Drawing drawing;
  drawing.Write("one\ntwo\nopen").Tick(Screen::kSettled - 1);
  EXPECT_THAT(drawing.Rows(), IsEmpty());
  EXPECT_THAT(drawing.Tick().Rows(), ElementsAre("one", "two"));
  EXPECT_EQ(drawing.first_held(), 1) << "by the record that the open row is of";
  EXPECT_THAT(drawing.Tick(100).Finish().Rows(), ElementsAre("open"));
}

TEST(Screen, HandsOutAllLinesInOrderWhileOthersCome) {
  Drawing drawing;
  drawing.Write("one\n").Tick().Write("two\n").Tick(Screen::kSettled - 1);
  EXPECT_THAT(drawing.Rows(), ElementsAre("one"));
  EXPECT_THAT(drawing.Tick().Write("three\n").Rows(), ElementsAre("two"));
}

TEST(Screen, ALineOfSeveralRowsIsHandedOutWhole) {
  Drawing drawing;
  drawing.Write("one\n" + std::string(100, 'x')).Tick(Screen::kSettled);
  EXPECT_EQ(drawing.Lines(), "one\n") << "it goes on in the cursor's row";
  drawing.Write("y\n").Tick(Screen::kSettled);
  EXPECT_EQ(drawing.Lines(), std::string(100, 'x') + "y\n");
  EXPECT_EQ(drawing.Finish().Lines(), "");
}

TEST(Screen, WaitsLongerWhereTheCursorHasGoneUp) {
  Drawing drawing;
  drawing.Write("plain\na 1%\nb 1%\n\x1b[2A\x1b[Ka 2%\n\n").Tick(Screen::kSettled);
  EXPECT_THAT(drawing.Rows(), ElementsAre("plain"));
  drawing.Tick(Screen::kStill - Screen::kSettled - 1).Write("\x1b[1A\x1b[Kb 2%\n");
  EXPECT_THAT(drawing.Tick(Screen::kStill - 1).Rows(), IsEmpty());
  EXPECT_THAT(drawing.Tick().Rows(), ElementsAre("a 2%", "b 2%"));
}

TEST(Screen, WhatIsDrawnOnAfterAllComesAgain) {
  Drawing drawing;
  drawing.Write("a 1%\nb 1%\n").Tick(Screen::kSettled);
  EXPECT_THAT(drawing.Rows(), ElementsAre("a 1%", "b 1%"));
  drawing.Write("\x1b[2Aa 2%\nb 1%\n");
  EXPECT_THAT(drawing.Finish().Rows(), ElementsAre("a 2%")) << "and what is as it was does not";
}

TEST(Screen, HandsOutNothingFromUnderTheAlternateScreen) {
  Drawing drawing;
  EXPECT_THAT(drawing.Write("one\n\x1b[?1049h").Tick(100).Rows(), IsEmpty());
}

// --- looks

TEST(Screen, KeepsStylesWhereTheyAreWanted) {
  const std::string bytes = "\x1b[31mred\x1b[m plain \x1b[1;38:2::1:2:3mrgb\x1b[0K\n";
  EXPECT_THAT(RowsOf(bytes), ElementsAre("red plain rgb"));
  EXPECT_THAT(Drawing(/*styled=*/true).Write(bytes).Finish().Rows(),
              ElementsAre("\x1b[31mred\x1b[m plain \x1b[1;38:2::1:2:3mrgb\x1b[m"));
}

TEST(Screen, LeavesOutWhatATerminalObeys) {
  for (const char* sequence : {"\x1b]0;title\x07", "\x1b]52;c;aGk=\x1b\\", "\x1bP1$r\x1b\\",
                               "\x1b_apc\x1b\\", "\x1b^pm\x1b\\",
                               "\x9d"
                               "0;t\x9c",
                               "\xc2\x9d"
                               "0;t\xc2\x9c",
                               "\x1b[6n", "\x1b[>c", "\x1b[5i", "\x1b[!p", "\x07", "\x7f",
                               "\x1b[?1000h", "\x05", "\xc2\x80"}) {
    EXPECT_THAT(RowsOf(absl::StrCat("a", sequence, "b")), ElementsAre("ab")) << sequence;
  }
  EXPECT_THAT(RowsOf("\x1b]0;never ended\nnext"), ElementsAre("", "next"));
}

// --- bounds

// What is held is of 24 rows, whatever comes.
TEST(Screen, HasNoMoreThanItsRows) {
  Drawing drawing;
  size_t bytes = 0;
  for (int i = 0; i < 1000; ++i) bytes += drawing.Write(std::string(1000, 'x')).Lines().size();
  EXPECT_GE(bytes, 1'000'000 - 24 * Screen::kColumns);
  std::string marks = "e";
  for (int i = 0; i < 10'000; ++i) marks += "\u0301";
  EXPECT_LT(Drawing().Write(marks).Finish().Lines().size(), 40U);
}

TEST(Screen, SequencesAreNotObeyedBeyondIt) {
  EXPECT_THAT(RowsOf("\x1b[b\x1b[99999999999999999999bx"), ElementsAre("x"));
  EXPECT_EQ(RowsOf("x\x1b[99999999999999999999b").front(), std::string(80, 'x'));
  for (const char final : std::string("ABCDEFGHIJKLMPSTX@`abdefghlrsu")) {
    for (const char* count :
         {"", "0", "99999999999999999999", "9;99999999999", ";;;;;;;;;;;;;;;;;;;"}) {
      EXPECT_LE(RowsOf(absl::StrCat("x\x1b[", count, std::string(1, final), "y\n")).size(), 48U)
          << count << final;
    }
  }
}

TEST(Screen, TakesAnyBytes) {
  const std::string_view pieces[] = {
      "\x1b[", "\x1b", "?",    ";",      "7",  "1049", "h",    "l",      "r",    "L",
      "M",     "S",    "T",    "J",      "K",  "@",    "P",    "X",      "b",    "A",
      "H",     "\n",   "\r",   "\t",     "\b", "text", "漢字", "\u0301", "\xff", "4",
      "m",     "D",    "\x0e", "\x1b(0", "80", "\x9b", "E",    "c",      "u",    "s"};
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Drawing drawing(round % 2 == 0);
    std::string lines;
    for (int i = 0; i < 400; ++i) {
      drawing.Write(pieces[random() % std::size(pieces)]);
      if (random() % 50 == 0) drawing.Tick(static_cast<int64_t>(random() % 30));
      if (random() % 200 == 0) drawing.Finish();
      lines += drawing.Lines();
    }
    lines += drawing.Finish().Lines();
    ASSERT_TRUE(IsUtf8(lines));
    ASSERT_EQ(drawing.first_held(), 0);
    std::string shown;
    TerminalFilter().Append(lines, &shown);
    ASSERT_EQ(shown, lines) << "nothing but text and styles";
  }
}

}  // namespace
}  // namespace jobtail::client::cli
