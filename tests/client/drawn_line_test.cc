// One line of a job's text as a terminal shows it.

#include "client/cli/drawn_line.h"

#include <gtest/gtest.h>

#include <string>

namespace jobtail::client::cli {
namespace {

TEST(DrawnLine, BackspacesNeverGoBeforeTheLine) {
  EXPECT_EQ(DrawnLine("\b\b\bspin|\b/\b-", ""), "spin-");
  EXPECT_EQ(DrawnLine("ab\b\b\b\b\b\bX", ""), "Xb");
}

TEST(DrawnLine, ErasesItselfAlone) {
  EXPECT_EQ(DrawnLine("abc\x1b[2Kd", ""), "   d");
  EXPECT_EQ(DrawnLine("abc\b\b\x1b[K", ""), "a");
  EXPECT_EQ(DrawnLine("abc\b\b\x1b[1Kx", ""), " xc");
}

TEST(DrawnLine, KeepsColumnsOfTabsAndWideCharacters) {
  EXPECT_EQ(DrawnLine("a\tb\bc", ""), "a       c");
  EXPECT_EQ(DrawnLine("日本\b\b\b\bx", ""), "x 本");
  EXPECT_EQ(DrawnLine("ab\b\b日", ""), "日");
  EXPECT_EQ(DrawnLine("e\u0301x\by", ""), "e\u0301y");
}

TEST(DrawnLine, BeginsInAStyleAndEndsInTheUsualOne) {
  EXPECT_EQ(DrawnLine("ab\bc", "\x1b[31m"), "\x1b[31mac\x1b[m");
  EXPECT_EQ(DrawnLine("a\x1b[1mb\x1b[mc\bd", ""), "a\x1b[1mb\x1b[md");
  EXPECT_EQ(DrawnLine("\x1b[1mab\x1b[0m\bc", "\x1b[31m"), "\x1b[31m\x1b[1ma\x1b[mc");
}

}  // namespace
}  // namespace jobtail::client::cli
