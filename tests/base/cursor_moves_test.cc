// What draws on more than its own row of a terminal.
#include "base/cursor_moves.h"

#include <gtest/gtest.h>

#include <string_view>

namespace jobtail {
namespace {

TEST(CursorMovesTest, TextAndWhatStaysInItsRowDoesNotMove) {
  for (const std::string_view text :
       {"", "text", "\x1b[31;1mred\x1b[m", "\r\x1b[K50 %", "\x1b[2K", "a\x1b[3Db\x1b[5Gc\x1b[2C",
        "\x1b[?25l", "\x1b]0;title A\x07", "\x1b(0lqk\x1b(B", "\x1b[2@\x1b[P\x1b[3X", "\x1b",
        "\x1b[", "\x1b[5", "\x1b[>0A",
        "\xc2\x9b"
        "31m"}) {
    EXPECT_FALSE(MovesToOtherRows(text)) << text;
  }
}

TEST(CursorMovesTest, WhatTakesTheCursorToAnotherRowMoves) {
  for (const std::string_view text : {"\x1b[A", "\x1b[31mred\x1b[5A", "up\x1b[1A\x1b[K", "\x1b[H",
                                      "\x1b[2;3H", "\x1b[J", "\x1b[2J",
                                      "\x1b"
                                      "7",
                                      "\x1b"
                                      "8",
                                      "\x1bM",
                                      "\x1b"
                                      "c",
                                      "\x1b[0;23r", "\x1b[?1049h", "\x1b[2L", "\x1b[s",
                                      "\xc2\x9b"
                                      "2A"}) {
    EXPECT_TRUE(MovesToOtherRows(text)) << text;
  }
}

}  // namespace
}  // namespace jobtail
