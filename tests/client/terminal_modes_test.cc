// What of a terminal is put right after a job that got all of it.

#include "client/cli/terminal_modes.h"

#include <gtest/gtest.h>

#include <string>

namespace jobtail::client::cli {
namespace {

std::string UndoOf(std::string_view bytes) {
  TerminalModes whole;
  whole.Note(bytes);
  TerminalModes pieces;
  for (const char byte : bytes) pieces.Note({&byte, 1});
  const std::string undo = whole.Undo();
  EXPECT_EQ(pieces.Undo(), undo) << "wherever it is cut";
  EXPECT_EQ(whole.Undo(), "") << "once";
  return undo;
}

TEST(TerminalModes, LeaveATerminalAloneThatIsAsUsual) {
  for (const char* bytes :
       {"", "text\n", "\x1b[31mred\x1b[m", "\x1b[?25l\x1b[?25h", "\x1b[?1049h\x1b[?1049l",
        "\x1b(0q\x1b(B", "\x1b[2;5r\x1b[r", "\x1b[?1000;1006h\x1b[?1006;1000l", "\x1b=\x1b>",
        "\x1b[?25l\x1b[31m\x1b"
        "c",
        "\x1b[?12h", "\x1b[4;20h\x1b[20l\x1b[4l", "\x1b[6 q\x1b[0 q", "\x1b[>1u\x1b[<u"}) {
    EXPECT_EQ(UndoOf(bytes), "") << bytes;
  }
}

TEST(TerminalModes, TakeBackWhatWasLeft) {
  EXPECT_EQ(UndoOf("\x1b[1;31mred"), "\x1b[m");
  EXPECT_EQ(UndoOf("\x1b[?25l"), "\x1b[?25h");
  EXPECT_EQ(UndoOf("\x1b[?1049h\x1b[?1000;1006h"), "\x1b[?1000l\x1b[?1006l\x1b[?1049l");
  EXPECT_EQ(UndoOf("\x1b[?7l\x1b[?2004h"), "\x1b[?2004l\x1b[?7h");
  EXPECT_EQ(UndoOf("\x1b(0"), "\x1b(B\x0f");
  EXPECT_EQ(UndoOf("\x1b[0;23r"),
            "\x1b"
            "7\x1b[r\x1b"
            "8");
}

// What would change what the user types next, and where it is seen.
TEST(TerminalModes, TakeBackWhatMakesOtherKeys) {
  EXPECT_EQ(UndoOf("\x1b[4h"), "\x1b[4l");
  EXPECT_EQ(UndoOf("\x1b[20h"), "\x1b[20l");
  EXPECT_EQ(UndoOf("\x1b[>4;2m"), "\x1b[>m");
  EXPECT_EQ(UndoOf("\x1b[>1u\x1b[>5u"), "\x1b[<2u");
  EXPECT_EQ(UndoOf("\x1b[<u\x1b[>1u"), "\x1b[<1u");
  EXPECT_EQ(UndoOf("\x1b[>1u\x1b[>1u\x1b[<2u"), "");
  EXPECT_EQ(UndoOf("\x1b[=1u"), "\x1b[=0u");
  EXPECT_EQ(UndoOf("\x1b[>4;2m\x1b[>4m"), "");
  EXPECT_EQ(UndoOf("\x1b[>4;2m\x1b[>4;0m"), "");
  // Each screen has its own.
  EXPECT_EQ(UndoOf("\x1b[>1u\x1b[?1049h\x1b[>1u\x1b[>1u"), "\x1b[<2u\x1b[?1049l\x1b[<1u");
  EXPECT_EQ(UndoOf("\x1b[?1049h\x1b[>1u\x1b[?1049l"), "");
  EXPECT_EQ(UndoOf("\x1b[6 q"), "\x1b[0 q");
}

TEST(TerminalModes, EndASequenceThatIsNotComplete) {
  EXPECT_EQ(UndoOf("\x1b[31"), "\x18");
  EXPECT_EQ(UndoOf("\x1b[?25l\x1b"), "\x18\x1b[?25h");
}

}  // namespace
}  // namespace jobtail::client::cli
