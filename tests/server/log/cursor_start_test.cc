// Where a reader starts, and where one that does not follow stops.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/codec/proto_time.h"
#include "server/log/cursor.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::Sequences;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// A log of ten lines, in batches of which some have several.
class CursorStart : public testing::LogTest {
 protected:
  void SetUp() override {
    for (const int count : {1, 4, 3, 2}) {
      std::vector<TextLine> lines(count, Out("line", 0));
      for (TextLine& line : lines) line.time_unix_nanos = ++printed_ * kHour;
      log_->Append(lines);
    }
  }

  std::vector<int64_t> Read(const v1::TailLogRequest& request) {
    return Sequences(RecordsOf(ReadToEnd(log_, request)));
  }
  absl::Status Refusal(const v1::TailLogRequest& request) {
    return Cursor::Open(log_, request).status();
  }

  static v1::TailLogRequest FromSequence(int64_t sequence) {
    v1::TailLogRequest request;
    request.set_from_sequence(sequence);
    return request;
  }
  static v1::TailLogRequest LastLines(int64_t count) {
    v1::TailLogRequest request;
    request.set_last_lines(count);
    return request;
  }
  static v1::TailLogRequest Since(int64_t unix_nanos) {
    v1::TailLogRequest request;
    *request.mutable_since() = FromUnixNanos(unix_nanos);
    return request;
  }

  const std::shared_ptr<Log> log_ = MakeLog();
  int64_t printed_ = 0;
};

TEST_F(CursorStart, IsTheFirstRecordByDefault) { EXPECT_EQ(Read({}), Numbers(1, 10)); }

TEST_F(CursorStart, MayBeAnySequenceAlsoWithinABatch) {
  for (int64_t sequence = 1; sequence <= 11; ++sequence) {
    EXPECT_EQ(Read(FromSequence(sequence)), Numbers(sequence, 10)) << sequence;
  }
}

TEST_F(CursorStart, MayBeAnySequenceOfAnEndedLogUpToOnePastTheResult) {
  Finish(*log_);
  for (int64_t sequence = 1; sequence <= 12; ++sequence) {
    EXPECT_EQ(Read(FromSequence(sequence)), Numbers(sequence, 11)) << sequence;
  }
}

TEST_F(CursorStart, OutsideTheLogIsOutOfRange) {
  for (const int64_t sequence : {int64_t{0}, int64_t{-1}, int64_t{12}, kMax}) {
    const absl::Status refusal = Refusal(FromSequence(sequence));
    EXPECT_EQ(refusal.code(), absl::StatusCode::kOutOfRange) << sequence;
    EXPECT_THAT(refusal.message(), HasSubstr(absl::StrCat("from_sequence ", sequence)));
    EXPECT_THAT(refusal.message(), HasSubstr("has records so far up to 10; use 1 to 11"));
  }
  Finish(*log_);
  EXPECT_THAT(Refusal(FromSequence(13)).message(),
              HasSubstr("the log of run run ends with record 11; use 1 to 12"));
}

TEST_F(CursorStart, MayBeSomeLinesBeforeTheEnd) {
  EXPECT_EQ(Read(LastLines(0)), Numbers(11, 10));
  EXPECT_EQ(Read(LastLines(1)), Numbers(10, 10));
  EXPECT_EQ(Read(LastLines(4)), Numbers(7, 10));
  EXPECT_EQ(Read(LastLines(10)), Numbers(1, 10));
  EXPECT_EQ(Read(LastLines(11)), Numbers(1, 10));
  EXPECT_EQ(Read(LastLines(kMax)), Numbers(1, 10));
}

TEST_F(CursorStart, DoesNotCountTheResultAmongTheLastLines) {
  Finish(*log_);
  EXPECT_EQ(Read(LastLines(0)), Numbers(11, 11));
  EXPECT_EQ(Read(LastLines(1)), Numbers(10, 11));
  EXPECT_EQ(Read(LastLines(10)), Numbers(1, 11));
  EXPECT_EQ(Read(LastLines(kMax)), Numbers(1, 11));
}

TEST_F(CursorStart, WithNegativeLastLinesIsInvalid) {
  EXPECT_EQ(
      Refusal(LastLines(-1)),
      absl::InvalidArgumentError("last_lines -1: must not be negative; use 0 for only what comes"));
}

TEST_F(CursorStart, MayBeATime) {
  EXPECT_EQ(Read(Since(0)), Numbers(1, 10));
  EXPECT_EQ(Read(Since(kHour)), Numbers(1, 10));
  EXPECT_EQ(Read(Since(kHour + 1)), Numbers(2, 10));
  EXPECT_EQ(Read(Since(4 * kHour)), Numbers(4, 10)) << "within a batch";
  EXPECT_EQ(Read(Since(10 * kHour)), Numbers(10, 10));
  EXPECT_THAT(Read(Since(10 * kHour + 1)), IsEmpty());
}

TEST_F(CursorStart, MayBeAnAgeByTheServersClock) {
  v1::TailLogRequest request;
  const absl::Duration age = clock_.Now() - absl::FromUnixNanos(7 * kHour);
  *request.mutable_since_ago() = ToProtoDuration(age);
  EXPECT_EQ(Read(request), Numbers(7, 10));
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Read(request), Numbers(8, 10));
  request.mutable_since_ago()->set_seconds(0);
  EXPECT_THAT(Read(request), IsEmpty());
  request.mutable_since_ago()->set_seconds(315'576'000'000);
  EXPECT_EQ(Read(request), Numbers(1, 10));
  request.mutable_since_ago()->set_seconds(315'576'000'001);
  EXPECT_EQ(Refusal(request).code(), absl::StatusCode::kInvalidArgument);
  request.mutable_since_ago()->set_seconds(-1);
  EXPECT_EQ(Refusal(request).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CursorStart, MayBeTheFirstOrLastTimeThereIs) {
  v1::TailLogRequest request;
  request.mutable_since()->set_seconds(-62'135'596'800);
  EXPECT_EQ(Read(request), Numbers(1, 10));
  request.mutable_since()->set_seconds(253'402'300'799);
  EXPECT_THAT(Read(request), IsEmpty());
}

TEST_F(CursorStart, IsNoTimeOutOfAllReason) {
  for (const auto& [seconds, nanos] :
       std::vector<std::pair<int64_t, int32_t>>{{std::numeric_limits<int64_t>::min(), 0},
                                                {kMax, 0},
                                                {9'223'372'035, 2'147'483'647},
                                                {0, -1},
                                                {0, 1'000'000'000}}) {
    v1::TailLogRequest request;
    request.mutable_since()->set_seconds(seconds);
    request.mutable_since()->set_nanos(nanos);
    EXPECT_EQ(Cursor::Open(log_, request).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(CursorStart, OfALogWithoutRecordsIsTheFirstThatComes) {
  const auto empty = MakeLog({}, "empty");
  for (v1::TailLogRequest request : {FromSequence(1), LastLines(5), LastLines(0), Since(kHour)}) {
    EXPECT_THAT(ReadToEnd(empty, request), IsEmpty());
    request.set_follow(true);
    EXPECT_EQ((*Cursor::Open(empty, request))->next(), 1);
  }
  EXPECT_EQ(Cursor::Open(empty, FromSequence(2)).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(CursorStart, WithoutFollowingStopsWhereTheLogEndedThen) {
  const auto cursor = Cursor::Open(log_, FromSequence(9));
  ASSERT_TRUE(cursor.ok());
  log_->Append({Out("later", 100 * kHour)});
  Finish(*log_);
  EXPECT_EQ(Sequences(RecordsOf(ReadToEnd(**cursor))), Numbers(9, 10));
}

// The store may have grouped records before and after the stop in one batch.
TEST_F(CursorStart, WithoutFollowingStopsWithinABatch) {
  const auto log = MakeLog(Collecting(), "collecting");
  store_.Block(Call::kAppend, "collecting");
  std::jthread printing([&] { log->Append({Out("1", kHour), Out("2", kHour), Out("3", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  const auto before = Cursor::Open(log, {});
  store_.Unblock(Call::kAppend);
  printing.join();
  const auto after = Cursor::Open(log, {});
  EXPECT_THAT(ReadToEnd(**before), IsEmpty());
  EXPECT_THAT(Sequences(ReadToEnd(**after)), ElementsAre(1, 2, 3));
}

TEST_F(CursorStart, ToldByNextIsWhereAnotherReaderWouldGoOn) {
  auto first = Cursor::Open(log_, FromSequence(3));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)->next(), 3);
  std::vector<Slice> slices;
  ASSERT_EQ(*(*first)->Read(1, &slices), Cursor::Next::kMore);
  EXPECT_EQ(Sequences(testing::Decode(slices)), Numbers(3, (*first)->next() - 1));
  EXPECT_EQ(Read(FromSequence((*first)->next())), Numbers((*first)->next(), 10));
}

}  // namespace
}  // namespace jobtail
