#include "client/cli/progress_bar.h"

#include <gtest/gtest.h>

#include <limits>

#include "client/cli/table.h"
#include "client/cli/text.h"

namespace jobtail::client::cli {
namespace {

v1::RunProgress Progress(double fraction, const std::string& text) {
  v1::RunProgress progress;
  progress.set_fraction(fraction);
  progress.set_text(text);
  progress.mutable_remaining()->set_seconds(3);
  return progress;
}

TEST(ProgressBarTest, LooksLikeThis) {
  EXPECT_EQ(ProgressBar(Progress(0.25, "step 5"), 60, false),
            "[#####---------------]  25%  step 5  3.00s left");
  EXPECT_EQ(ProgressBar(Progress(1, ""), 30, true), "[\x1b[36m##########\x1b[0m] 100%  3.00s left");
}

TEST(ProgressBarTest, IsNarrowerThanTheTerminal) {
  for (size_t columns = 0; columns < 200; ++columns) {
    const std::string bar = ProgressBar(Progress(0.5, std::string(90, 'x')), columns, false);
    EXPECT_LT(Width(bar), std::max<size_t>(columns, 1)) << bar;
  }
}

TEST(ProgressBarTest, TakesWhateverTheServerSends) {
  for (const double fraction : {-1.0, 7.0, std::numeric_limits<double>::quiet_NaN(),
                                std::numeric_limits<double>::infinity()}) {
    EXPECT_LT(Width(ProgressBar(Progress(fraction, "\x1b[2J\n"), 50, false)), 50U);
  }
  EXPECT_EQ(ProgressBar(Progress(0, "\r\x1b[2J"), 60, false).find('\x1b'), std::string::npos);
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

TEST(FittedTest, CutsBetweenCharacters) {
  EXPECT_EQ(Fitted("Grüße", 5), "Grüße");
  EXPECT_EQ(Fitted("Grüße", 4), "Grü…");
  EXPECT_EQ(Fitted("Grüße", 1), "…");
  EXPECT_EQ(Fitted("Grüße", 0), "");
}

}  // namespace
}  // namespace jobtail::client::cli
