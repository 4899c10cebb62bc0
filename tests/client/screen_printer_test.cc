// Tests of --rendered: what is printed of a log, and where to.

#include "client/cli/screen_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "batch.h"
#include "client/cli/output.h"
#include "printing.h"

namespace jobtail::client::cli {
namespace {

using ::testing::HasSubstr;

v1::LogLine Error(int64_t sequence, const std::string& text) {
  return Line(sequence, text, v1::ENDING_LF, v1::STREAM_STDERR);
}

class ScreenPrinterTest : public ::testing::Test {
 protected:
  std::string Out() const { return out_file_.contents(); }
  std::string Err() const { return err_file_.contents(); }

  static void Tick(LinePrinter* printer, int64_t times) {
    while (times-- > 0) ASSERT_TRUE(printer->Tick().ok());
  }

  MemoryFile out_file_;
  MemoryFile err_file_;
  FdWriter out_{out_file_.fd(), "stdout"};
  FdWriter err_{err_file_.fd(), "stderr"};
  Output output_{&out_, &err_};
  FdWriter same_{out_file_.fd(), "stderr"};
  Output merged_{&out_, &same_};
};

TEST_F(ScreenPrinterTest, PrintsRowsAsTheyAreInTheEnd) {
  ScreenPrinter printer(&output_, {.run = "r"});
  ASSERT_TRUE(printer
                  .Print(Batch({Line(1, "a: waiting"), Line(2, "b: waiting"),
                                Line(3, "\x1b[2A\x1b[2Ka: 50%", v1::ENDING_CR),
                                Line(4, "\x1b[1B\x1b[2Kb: \x1b[32mdone\x1b[m", v1::ENDING_CR),
                                Line(5, "\x1b[1A\x1b[2Ka: done", v1::ENDING_CR),
                                Line(6, "\x1b[2B10%", v1::ENDING_CR), Line(7, "20%")}))
                  .ok());
  EXPECT_EQ(Out(), "");
  ASSERT_TRUE(printer.Print(Batch({Failed(8, 3, "")})).ok());
  EXPECT_EQ(Out(), "a: done\nb: done\n20%\n");
  EXPECT_EQ(Err(), "jobtail: run r FAILED with exit code 3\n");
  EXPECT_EQ(output_.last_written(), 8);
}

TEST_F(ScreenPrinterTest, StreamsThatGoToTwoPlacesHaveScreensOfTheirOwn) {
  ScreenPrinter printer(&output_, {});
  ASSERT_TRUE(
      printer
          .Print(Batch({Line(1, "out "), Error(2, "10%"), Line(3, "put"), Error(4, "\x1b[1A20%")}))
          .ok());
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "out\nput\n");
  EXPECT_EQ(Err(), "20%\n");
}

TEST_F(ScreenPrinterTest, StreamsThatGoToOnePlaceShareAScreen) {
  ScreenPrinter printer(&merged_, {});
  ASSERT_TRUE(
      printer.Print(Batch({Line(1, "one"), Error(2, "two"), Line(3, "\x1b[2AONE\n")})).ok());
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "ONE\ntwo\n");
}

TEST_F(ScreenPrinterTest, AnExportIsOneScreenOnStdout) {
  ScreenPrinter printer(&output_, {.outcome = false, .merged = true});
  ASSERT_TRUE(printer.Print(Batch({Line(1, "out"), Error(2, "err"), Failed(3, 3, "")})).ok());
  EXPECT_EQ(Out(), "out\nerr\n");
  EXPECT_EQ(Err(), "");
}

TEST_F(ScreenPrinterTest, PrintsWhatHasStoodForAWhile) {
  ScreenPrinter printer(&output_, {});
  ASSERT_TRUE(printer.Print(Batch({Line(1, "one"), Line(2, "two", v1::ENDING_NONE)})).ok());
  Tick(&printer, Screen::kSettled - 1);
  EXPECT_EQ(Out(), "");
  Tick(&printer, 1);
  EXPECT_EQ(Out(), "one\n");
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "one\ntwo\n");
  EXPECT_EQ(output_.last_written(), 2);
}

TEST_F(ScreenPrinterTest, LinesThatAreMissingEndTheScreen) {
  ScreenPrinter printer(&output_, {});
  ASSERT_TRUE(printer
                  .Print(Batch({Line(1, "a 1%"), Gap(2, 5), Line(6, "\x1b[1A\x1b[Ka 2%"),
                                Gap(7, 9, v1::GAP_REASON_OVERWRITTEN), Line(10, "\x1b[1Aa 3%")}))
                  .ok());
  EXPECT_EQ(Out(), "a 1%\n");
  EXPECT_THAT(Err(), HasSubstr("jobtail: lines 2-5 are missing (dropped"));
  EXPECT_THAT(Err(), HasSubstr("jobtail: lines 7-9 are missing (left out"));
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "a 1%\na 3%\n") << "those that were overwritten at once end nothing";
}

TEST_F(ScreenPrinterTest, BeginsWithinALogAsBelowWhatWasThereBefore) {
  ScreenPrinter printer(&output_, {});
  ASSERT_TRUE(printer
                  .Print(Batch({Line(100, "\x1b[3A\x1b[2Ka 2%", v1::ENDING_CR),
                                Line(101, "\x1b[3B"), Line(102, "end")}))
                  .ok());
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "a 2%\n\n\n\nend\n");
}

TEST_F(ScreenPrinterTest, ALongLineIsOne) {
  ScreenPrinter printer(&output_, {.timestamps = true});
  const std::string half(1500, 'x');
  ASSERT_TRUE(
      printer.Print(Batch({Line(1, half, v1::ENDING_SPLIT), Line(2, half), Line(3, "b")})).ok());
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "2023-11-14T22:13:21.000Z " + half + half + "\n2023-11-14T22:13:23.000Z b\n");
}

TEST_F(ScreenPrinterTest, ColoursAreForThoseWhoWantThem) {
  ScreenPrinter printer(&output_, {.err_is_styled = true});
  ASSERT_TRUE(
      printer.Print(Batch({Line(1, "\x1b[31mred\x1b[m"), Error(2, "\x1b[31mred\x1b[m")})).ok());
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "red\n");
  EXPECT_EQ(Err(), "\x1b[31mred\x1b[m\n");
}

// Several runs in one place.
TEST_F(ScreenPrinterTest, LinesOfSeveralRunsAreWhole) {
  ScreenPrinter one(&output_, {.run = "1", .prefix = "1 | "});
  ScreenPrinter two(&output_, {.run = "2", .prefix = "2 | "});
  const std::string part(24 * 80, 'x');
  ASSERT_TRUE(one.Print(Batch({Line(1, part + part, v1::ENDING_SPLIT)})).ok());
  ASSERT_TRUE(two.Print(Batch({Line(1, "a 1%"), Line(2, "\x1b[1Aa 2%"), Gap(3, 3)})).ok());
  ASSERT_TRUE(one.Print(Batch({Line(2, "end"), Failed(3, 3, "")})).ok());
  EXPECT_EQ(Out(), "2 | a 2%\n1 | " + part + part + "end\n");
  EXPECT_THAT(Err(), HasSubstr("jobtail: run 2: line 3 is missing"));
}

TEST_F(ScreenPrinterTest, ALineWithoutEndIsNotKept) {
  ScreenPrinter printer(&output_, {.run = "1", .prefix = "1 | "});
  const std::string megabyte(1 << 20, 'x');
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(printer.Print(Batch({Line(i, megabyte, v1::ENDING_SPLIT)})).ok());
  }
  EXPECT_GT(Out().size(), 2U << 20);
}

TEST_F(ScreenPrinterTest, TellsWhereToGoOnWithWhatIsNotPrinted) {
  ScreenPrinter printer(&output_, {});
  v1::LogBatch batch;
  for (int i = 1; i <= 30; ++i) *batch.add_lines() = Line(i, std::to_string(i));
  ASSERT_TRUE(printer.Print(batch).ok());
  EXPECT_EQ(output_.last_written(), 7);
}

}  // namespace
}  // namespace jobtail::client::cli
