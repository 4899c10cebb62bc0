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
using testing::kHour;
using testing::ReadToEnd;
using testing::Sequences;

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
    std::vector<int64_t> sequences;
    for (const v1::LogLine& line : ReadToEnd(*cursor)) {
      if (!line.has_heartbeat()) continue;
      sequences.push_back(line.heartbeat().searched_through());
      EXPECT_EQ(sequences.back(), first - 1);
    }
    return sequences;
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

// A log of thirty records, of which each is a batch and the fifth and sixth are a line, and the
// result. Some cannot be read.
class LastLinesOfADamagedLogTest : public LastLinesTest {
 protected:
  LastLinesOfADamagedLogTest() {
    const auto log = MakeLog();
    for (int i = 1; i <= 30; ++i) {
      TextLine line = Out("x", i == 5 ? v1::ENDING_NONE : v1::ENDING_LF);
      line.time_unix_nanos = i * kHour;
      log->Append({line});
    }
    Finish(*log);
  }

  int64_t First(int64_t count) { return (*Cursor::Open(Reopened(), LastLines(count)))->next(); }
  std::vector<v1::LogLine> Read(int64_t count) { return ReadToEnd(Reopened(), LastLines(count)); }

 private:
  // With nothing of it in memory.
  std::shared_ptr<Log> Reopened() {
    v1::Run run;
    run.set_id("run");
    return Log::OpenEnded(run, *store_.GetExtent("run"), services_);
  }
};

TEST_F(LastLinesOfADamagedLogTest, AreCountedBeyondTheDamage) {
  store_.Damage(11, 24);
  EXPECT_EQ(First(6), 25);
  EXPECT_EQ(First(7), 11) << "it counts as one";
  EXPECT_EQ(First(8), 10);
  EXPECT_EQ(First(11), 7);
  EXPECT_EQ(First(12), 5) << "a line of two records";
  EXPECT_EQ(First(13), 4);
  EXPECT_EQ(First(16), 1);
  EXPECT_EQ(First(17), 1);
  const std::vector<v1::LogLine> lines = Read(8);
  EXPECT_THAT(Sequences(lines), ElementsAre(10, 24, 25, 26, 27, 28, 29, 30, 31));
  EXPECT_EQ(lines[1].gap().first(), 11);
  EXPECT_EQ(lines[1].gap().reason(), v1::GAP_REASON_DAMAGED);
}

TEST_F(LastLinesOfADamagedLogTest, AreCountedWhereverItIs) {
  store_.Damage(1, 2);
  store_.Damage(12, 12);
  store_.Damage(14, 20);
  store_.Damage(29, 30);
  EXPECT_EQ(First(1), 29);
  EXPECT_EQ(First(2), 28);
  EXPECT_EQ(First(9), 21);
  EXPECT_EQ(First(10), 14);
  EXPECT_EQ(First(11), 13);
  EXPECT_EQ(First(12), 12);
  EXPECT_EQ(First(13), 11);
  EXPECT_EQ(First(18), 5);
  EXPECT_EQ(First(20), 3);
  EXPECT_EQ(First(21), 1);
  EXPECT_EQ(First(22), 1);
}

TEST_F(LastLinesOfADamagedLogTest, EndWithinALine) {
  store_.Damage(6, 6);
  EXPECT_EQ(First(24), 7);
  EXPECT_EQ(First(25), 6);
  EXPECT_EQ(First(26), 5) << "nobody knows how it went on";
  EXPECT_EQ(First(27), 4);
}

}  // namespace
}  // namespace jobtail
