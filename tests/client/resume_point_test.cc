// Tests of where a reader goes on, and of records that come twice or not at all.

#include "client/resume_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <vector>

#include "batch.h"
#include "fake_server.h"

namespace jobtail::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int64_t> Sequences(const v1::LogBatch& batch) {
  std::vector<int64_t> sequences;
  for (const v1::LogLine& line : batch.lines()) sequences.push_back(line.sequence());
  return sequences;
}

std::vector<int64_t> Accept(ResumePoint* point, std::initializer_list<v1::LogLine> lines) {
  v1::LogBatch batch = Batch(lines);
  EXPECT_TRUE(point->Accept(&batch));
  return Sequences(batch);
}

v1::TailLogRequest FromSequence(int64_t sequence) {
  v1::TailLogRequest request;
  request.set_from_sequence(sequence);
  return request;
}

v1::TailLogRequest LastLines(int64_t count) {
  v1::TailLogRequest request;
  request.set_last_lines(count);
  return request;
}

TEST(ResumePointTest, AsksFirstForWhatTheRequestSays) {
  for (const v1::TailLogRequest& request :
       {v1::TailLogRequest(), FromSequence(7), LastLines(3), LastLines(0)}) {
    EXPECT_EQ(ResumePoint(request).Request().SerializeAsString(), request.SerializeAsString());
  }
}

TEST(ResumePointTest, GoesOnAfterTheLastRecord) {
  ResumePoint point((v1::TailLogRequest()));
  EXPECT_THAT(Accept(&point, {Line(1, "a"), Line(2, "b")}), ElementsAre(1, 2));
  EXPECT_EQ(point.Request().from_sequence(), 3);
}

TEST(ResumePointTest, KeepsTheRestOfTheRequest) {
  v1::TailLogRequest request = LastLines(2);
  request.set_run("run-1");
  request.set_follow(true);
  request.set_pattern("x");
  request.add_streams(v1::STREAM_STDERR);
  ResumePoint point(request);
  Accept(&point, {Line(5, "x")});
  request.set_from_sequence(6);
  EXPECT_EQ(point.Request().SerializeAsString(), request.SerializeAsString());
}

TEST(ResumePointTest, NamesTheRunByItsWholeIdOnceThatIsKnown) {
  v1::TailLogRequest request;
  request.set_run("run");
  ResumePoint point(request);
  EXPECT_EQ(point.Request().run(), "run");
  Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 0)});
  EXPECT_EQ(point.Request().run(), "run-1");
}

TEST(ResumePointTest, DropsWhatItHasSeen) {
  ResumePoint point(FromSequence(3));
  EXPECT_THAT(Accept(&point, {Line(1, "a"), Line(2, "b"), Line(3, "c")}), ElementsAre(3));
  EXPECT_THAT(Accept(&point, {Line(2, "b"), Line(3, "c")}), IsEmpty());
  EXPECT_THAT(Accept(&point, {Line(4, "d"), Line(4, "d"), Line(5, "e")}), ElementsAre(4, 5));
}

TEST(ResumePointTest, KeepsMessagesThatAreNotRecords) {
  ResumePoint point(FromSequence(2));
  v1::LogLine heartbeat;
  heartbeat.mutable_heartbeat()->set_last_sequence(9);
  EXPECT_THAT(Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 9), Line(1, "a"), heartbeat}),
              ElementsAre(0, 0));
  EXPECT_EQ(point.next(), 2);
}

TEST(ResumePointTest, PutsAGapWhereTheServerLeavesRecordsOut) {
  ResumePoint point((v1::TailLogRequest()));
  v1::LogBatch batch = Batch({Line(1, "a"), Line(5, "e")});
  ASSERT_TRUE(point.Accept(&batch));
  ASSERT_THAT(Sequences(batch), ElementsAre(1, 4, 5));
  EXPECT_EQ(batch.lines(1).gap().first(), 2);
  EXPECT_EQ(batch.lines(1).gap().last(), 4);
  EXPECT_EQ(batch.lines(1).gap().reason(), v1::GAP_REASON_UNSPECIFIED);
  EXPECT_EQ(point.next(), 6);
}

TEST(ResumePointTest, TakesTheServersGapsAsTheyAre) {
  ResumePoint point((v1::TailLogRequest()));
  v1::LogBatch batch = Batch({GapLine(1, 9, v1::GAP_REASON_RETENTION), Line(10, "j")});
  ASSERT_TRUE(point.Accept(&batch));
  EXPECT_THAT(Sequences(batch), ElementsAre(9, 10));
  EXPECT_EQ(batch.lines(0).gap().first(), 1);
}

TEST(ResumePointTest, CutsOffTheSeenPartOfAGap) {
  ResumePoint point(FromSequence(1));
  Accept(&point, {Line(1, "a"), Line(2, "b")});
  v1::LogBatch batch = Batch({GapLine(1, 9, v1::GAP_REASON_RETENTION)});
  ASSERT_TRUE(point.Accept(&batch));
  ASSERT_THAT(Sequences(batch), ElementsAre(9));
  EXPECT_EQ(batch.lines(0).gap().first(), 3);
  EXPECT_EQ(batch.lines(0).gap().reason(), v1::GAP_REASON_RETENTION);
}

TEST(ResumePointTest, HolesAreNoGapsWithAFilter) {
  v1::TailLogRequest request;
  request.set_pattern("x");
  ResumePoint point(request);
  EXPECT_THAT(Accept(&point, {Line(3, "x"), Line(7, "x")}), ElementsAre(3, 7));
  EXPECT_EQ(point.Request().from_sequence(), 8);
  EXPECT_THAT(Accept(&point, {Line(7, "x"), Line(9, "x")}), ElementsAre(9));
}

v1::LogLine Heartbeat(int64_t last_sequence, int64_t searched_through) {
  v1::LogLine line;
  line.mutable_heartbeat()->set_last_sequence(last_sequence);
  line.mutable_heartbeat()->set_searched_through(searched_through);
  return line;
}

TEST(ResumePointTest, TheEndOfTheLogThatAHeartbeatTellsDoesNotMoveIt) {
  v1::TailLogRequest request;
  request.set_pattern("x");
  ResumePoint point(request);
  Accept(&point, {Line(3, "x"), Heartbeat(100, 0)});
  EXPECT_EQ(point.next(), 4);
}

TEST(ResumePointTest, ASearchGoesOnWhereTheServerHasLooked) {
  v1::TailLogRequest request;
  request.set_pattern("x");
  ResumePoint point(request);
  Accept(&point, {Line(3, "x"), Heartbeat(100, 50)});
  EXPECT_EQ(point.Request().from_sequence(), 51);
  EXPECT_THAT(Accept(&point, {Heartbeat(100, 20), Line(51, "x")}), ElementsAre(0, 51));
  EXPECT_EQ(point.next(), 52);

  request.set_last_lines(10);
  ResumePoint late(request);
  Accept(&late, {Heartbeat(100, 95)});
  EXPECT_EQ(late.Request().from_sequence(), 96) << "before the first match, too";

  ResumePoint unfiltered((v1::TailLogRequest()));
  Accept(&unfiltered, {Line(1, "a"), Heartbeat(100, 50)});
  EXPECT_EQ(unfiltered.next(), 2) << "a record received is better evidence";
}

TEST(ResumePointTest, LastLinesAreCountedFromTheEndThatTheRunTells) {
  ResumePoint point(LastLines(0));
  Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 10)});
  EXPECT_EQ(point.Request().from_sequence(), 11);

  ResumePoint three(LastLines(3));
  Accept(&three, {RunLine(v1::RUN_STATE_RUNNING, 10)});
  EXPECT_EQ(three.Request().from_sequence(), 8);

  ResumePoint all(LastLines(30));
  Accept(&all, {RunLine(v1::RUN_STATE_RUNNING, 10)});
  EXPECT_EQ(all.Request().from_sequence(), 1);
}

// Some of them have several records: the server tells.
TEST(ResumePointTest, LastLinesBeginWhereAHeartbeatSays) {
  ResumePoint three(LastLines(3));
  Accept(&three, {RunLine(v1::RUN_STATE_RUNNING, 10), Heartbeat(10, 3)});
  EXPECT_EQ(three.Request().from_sequence(), 4);
  Accept(&three, {RunLine(v1::RUN_STATE_RUNNING, 20)});
  EXPECT_EQ(three.Request().from_sequence(), 4) << "what they meant at first";
  EXPECT_THAT(Accept(&three, {GapLine(2, 6, v1::GAP_REASON_RETENTION), Line(7, "g")}),
              ElementsAre(6, 7));

  ResumePoint all(LastLines(3));
  Accept(&all, {RunLine(v1::RUN_STATE_RUNNING, 10), Heartbeat(10, 0)});
  EXPECT_EQ(all.Request().from_sequence(), 1);

  ResumePoint none(LastLines(0));
  Accept(&none, {RunLine(v1::RUN_STATE_RUNNING, 10), Heartbeat(10, 0)});
  EXPECT_EQ(none.Request().from_sequence(), 11);
}

TEST(ResumePointTest, LastLinesDoNotCountTheResult) {
  ResumePoint point(LastLines(3));
  Accept(&point, {RunLine(v1::RUN_STATE_FAILED, 11)});
  EXPECT_EQ(point.Request().from_sequence(), 8);
}

TEST(ResumePointTest, LastLinesStayWhatTheyMeantAtFirst) {
  ResumePoint point(LastLines(0));
  Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 10)});
  Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 20)});
  EXPECT_EQ(point.Request().from_sequence(), 11);
}

TEST(ResumePointTest, LastLinesMayBeginElsewhereOnTheFirstStream) {
  ResumePoint point(LastLines(3));
  EXPECT_THAT(Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 10),
                              GapLine(2, 8, v1::GAP_REASON_DROPPED), Line(9, "i")}),
              ElementsAre(0, 8, 9));
  EXPECT_EQ(point.next(), 10);
}

TEST(ResumePointTest, SinceStaysUntilARecordHasCome) {
  v1::TailLogRequest request;
  request.mutable_since()->set_seconds(1'700'000'000);
  ResumePoint point(request);
  Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, 10)});
  EXPECT_EQ(point.Request().SerializeAsString(), request.SerializeAsString());
  Accept(&point, {Line(8, "h")});
  EXPECT_EQ(point.Request().from_sequence(), 9);
}

TEST(ResumePointTest, GoesOnWhereTheServerSaysIfItLookedFurther) {
  v1::TailLogRequest request;
  request.set_pattern("x");
  ResumePoint filtered(request);
  Accept(&filtered, {Line(3, "x")});
  filtered.AdvanceTo(50);
  EXPECT_EQ(filtered.next(), 50);
  filtered.AdvanceTo(20);
  EXPECT_EQ(filtered.next(), 50);

  ResumePoint unknown(LastLines(2));
  unknown.AdvanceTo(50);
  EXPECT_EQ(unknown.next(), 50);
}

TEST(ResumePointTest, TrustsRecordsMoreThanTheServersWord) {
  ResumePoint point((v1::TailLogRequest()));
  Accept(&point, {Line(1, "a")});
  point.AdvanceTo(50);
  EXPECT_EQ(point.next(), 2);
}

TEST(ResumePointTest, TheResultIsTheEnd) {
  ResumePoint point((v1::TailLogRequest()));
  EXPECT_FALSE(point.ended());
  Accept(&point, {Line(1, "a"), ResultLine(2)});
  EXPECT_TRUE(point.ended());
}

// The server has forgotten the end of the log, and closed what is left.
TEST(ResumePointTest, TheResultIsTheEndWhateverItsNumber) {
  ResumePoint point(FromSequence(10));
  EXPECT_THAT(Accept(&point, {Line(10, "j"), ResultLine(5)}), ElementsAre(10, 5));
  EXPECT_TRUE(point.ended());
}

TEST(ResumePointTest, RefusesNumbersThatNoLogHas) {
  ResumePoint point((v1::TailLogRequest()));
  for (const v1::LogLine& bad : {Line(kMaxSequence + 1, "x"), Line(INT64_MAX, "x"), Line(-1, "x"),
                                 Line(INT64_MIN, "x"), GapLine(9, 5, v1::GAP_REASON_DROPPED)}) {
    v1::LogBatch batch = Batch({Line(1, "a"), bad});
    EXPECT_FALSE(point.Accept(&batch)) << bad.ShortDebugString();
    EXPECT_EQ(point.next(), 1);
  }
  ResumePoint last(FromSequence(kMaxSequence));
  EXPECT_THAT(Accept(&last, {Line(kMaxSequence, "the last there can be")}),
              ElementsAre(kMaxSequence));
  EXPECT_EQ(last.next(), kMaxSequence + 1);
}

TEST(ResumePointTest, TakesWhateverAHeartbeatTells) {
  v1::TailLogRequest request;
  request.set_pattern("x");
  ResumePoint point(request);
  v1::LogLine heartbeat;
  heartbeat.mutable_heartbeat()->set_searched_through(INT64_MAX);
  Accept(&point, {heartbeat});
  EXPECT_EQ(point.next(), kMaxSequence + 1);
}

TEST(ResumePointTest, TakesWhateverTheRunAndTheTrailersTell) {
  ResumePoint point(LastLines(0));
  Accept(&point, {RunLine(v1::RUN_STATE_RUNNING, std::numeric_limits<int64_t>::max())});
  EXPECT_EQ(point.next(), kMaxSequence + 1);
  ResumePoint negative(LastLines(3));
  Accept(&negative, {RunLine(v1::RUN_STATE_FAILED, std::numeric_limits<int64_t>::min())});
  EXPECT_EQ(negative.next(), 1);
  negative.AdvanceTo(-5);
  EXPECT_EQ(negative.next(), 1);
}

}  // namespace
}  // namespace jobtail::client
