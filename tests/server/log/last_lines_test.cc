// Tests of the last lines of a log, of which some came in pieces.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "server/log/cursor.h"
#include "tests/server/log/pieces_fixture.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ReadToEnd;

class LastLinesTest : public testing::PiecesTest {};

TEST_F(LastLinesTest, AreCountedFromTheEndOn) {
  const std::vector<TextLine> records = {
      Out("1"),                     // a line
      Out("2", v1::ENDING_NONE),    // one in five parts, beside another
      Out("3", v1::ENDING_NONE),    //
      Err("4", v1::ENDING_NONE),    //
      Out("5", v1::ENDING_SPLIT),   //
      Out("6", v1::ENDING_NONE),    //
      Err("7"),                     //
      Out("8"),                     //
      Out("9", v1::ENDING_CR),      // a line
      Out("10", v1::ENDING_NONE)};  // one that is not finished
  for (const bool ended : {false, true}) {
    const auto log = LogOf(records, ended);
    const auto first = [&](int64_t count) {
      return (*Cursor::Open(log, LastLines(count)))->next();
    };
    EXPECT_EQ(first(0), 11);
    EXPECT_EQ(first(1), 10);
    EXPECT_EQ(first(2), 9);
    EXPECT_EQ(first(3), 2);
    EXPECT_EQ(first(4), 2) << "that of stderr ended before";
    EXPECT_EQ(first(5), 1);
    EXPECT_EQ(first(6), 1);
    EXPECT_EQ(first(100), 1);
    if (ended) {
      EXPECT_EQ(ReadToEnd(log, {}).back().result().total_lines(), 5);
    }
  }
}

// A reader whose stream breaks before the first record could not know otherwise where it has begun.
TEST_F(LastLinesTest, TellWhereTheyBegin) {
  const auto told = [](const std::shared_ptr<Log>& log, int64_t count) {
    const auto cursor = *Cursor::Open(log, LastLines(count));
    const int64_t first = cursor->next();
    std::vector<int64_t> told;
    for (const v1::LogLine& line : ReadToEnd(*cursor)) {
      if (!line.has_heartbeat()) continue;
      told.push_back(line.heartbeat().searched_through());
      EXPECT_EQ(told.back(), first - 1);
    }
    return told;
  };
  const auto pieces = LogOf({Out("1"), Out("2", v1::ENDING_NONE), Out("3"), Out("4")});
  EXPECT_THAT(told(pieces, 0), IsEmpty());
  EXPECT_THAT(told(pieces, 1), IsEmpty()) << "each record is a line";
  EXPECT_THAT(told(pieces, 2), ElementsAre(1));
  EXPECT_THAT(told(pieces, 3), ElementsAre(0));
  EXPECT_THAT(told(pieces, 4), IsEmpty()) << "all of it";
  const auto whole = LogOf({Out("1"), Out("2"), Out("3"), Out("4")});
  for (int64_t count = 0; count < 6; ++count) EXPECT_THAT(told(whole, count), IsEmpty()) << count;
}

TEST_F(LastLinesTest, MayHaveManyParts) {
  std::vector<TextLine> records(1000, Out("line"));
  for (int i = 0; i < 4; ++i) records.push_back(Out("part", v1::ENDING_NONE));
  records.push_back(Out("part"));
  const auto log = LogOf(records);
  const auto first = [&](int64_t count) { return (*Cursor::Open(log, LastLines(count)))->next(); };
  EXPECT_EQ(first(1), 1001);
  EXPECT_EQ(first(2), 1000);
  EXPECT_EQ(first(500), 502);
}

}  // namespace
}  // namespace jobtail
