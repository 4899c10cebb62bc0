// Tests of columns lined up, cut and coloured.

#include "client/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "base/display_width.h"

namespace jobtail::client::cli {
namespace {

TEST(TableTest, LinesUpColumns) {
  Table table;
  table.AddRow({"RUN", "STATE", "EXIT"});
  table.AddRow({"grün", "RUNNING", "-"});
  table.AddRow({"x", "", "3"});
  EXPECT_EQ(table.Render(),
            "RUN   STATE    EXIT\n"
            "grün  RUNNING  -\n"
            "x              3\n");
}

TEST(TableTest, DisarmsItsCells) {
  Table table;
  table.AddRow({"a\x1b[2J", "b\nc"});
  EXPECT_EQ(table.Render({.indent = "  "}), "  a\\x1b[2J  b\\nc\n");
}

TEST(TableTest, CutsLinesAndColoursCells) {
  Table table;
  table.AddRow({"one", Table::Cell("two", Paint::kRed), "three"});
  table.AddRow({"1", "2", ""});
  EXPECT_EQ(table.Render(), "one  two  three\n1    2\n");
  EXPECT_EQ(table.Columns(), 15U);
  EXPECT_EQ(table.Render({.columns = 9}), "one  two…\n1    2\n");
  EXPECT_EQ(table.Render({.columns = 7}), "one  t…\n1    2\n");
  EXPECT_EQ(table.Render({.color = true}), "one  \x1b[31mtwo\x1b[0m  three\n1    2\n");
}

TEST(TableTest, LinesUpColumnsOfWideAndCombiningText) {
  Table table;
  table.AddRow({"JOB", "STATE"});
  table.AddRow({"備份", "RUNNING"});
  table.AddRow({"e\u0301te\u0301", "FAILED"});
  table.AddRow({"🚀", "LOST"});
  EXPECT_EQ(table.Render(),
            "JOB   STATE\n"
            "備份  RUNNING\n"
            "e\u0301te\u0301   FAILED\n"
            "🚀    LOST\n");
  EXPECT_EQ(table.Columns(), 13U);
}

TEST(TableTest, NeverGetsWiderThanItMay) {
  Table table;
  table.AddRow({"備份資料庫", "👩\u200d👩\u200d👧", "x"});
  table.AddRow({"🚀🚀", "e\u0301e\u0301e\u0301", "資料"});
  for (size_t columns = 1; columns < 40; ++columns) {
    std::istringstream lines(table.Render({.columns = columns}));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(DisplayWidth(line), columns) << line;
    }
  }
}

}  // namespace
}  // namespace jobtail::client::cli
