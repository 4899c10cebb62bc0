// Tests of the progress bar's look and width.

#include "client/cli/progress_bar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/display_width.h"

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
    EXPECT_LT(DisplayWidth(bar), std::max<size_t>(columns, 1)) << bar;
  }
}

TEST(ProgressBarTest, TakesWhateverTheServerSends) {
  for (const double fraction : {-1.0, 7.0, std::numeric_limits<double>::quiet_NaN(),
                                std::numeric_limits<double>::infinity()}) {
    EXPECT_LT(DisplayWidth(ProgressBar(Progress(fraction, "\x1b[2J\n"), 50, false)), 50U);
  }
  EXPECT_EQ(ProgressBar(Progress(0, "\r\x1b[2J"), 60, false).find('\x1b'), std::string::npos);
}

TEST(ProgressBarTest, CountsColumnsNotCharacters) {
  for (const char* text :
       {"備份資料庫備份資料庫備份資料庫備份資料庫", "e\u0301e\u0301e\u0301e\u0301e\u0301",
        "🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀", "👩\u200d👩\u200d👧 ❤\ufe0f 🇩🇪"}) {
    for (size_t columns = 1; columns < 100; ++columns) {
      const std::string bar = ProgressBar(Progress(0.5, text), columns, false);
      EXPECT_LT(DisplayWidth(bar), columns) << bar;
    }
  }
  EXPECT_EQ(ProgressBar(Progress(0.25, "備份資料庫"), 42, false),
            "[###-----------]  25%  備份…  3.00s left");
}

}  // namespace
}  // namespace jobtail::client::cli
