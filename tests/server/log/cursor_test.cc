// Tests of cursors: what a reader gets, waits for and is told.

#include "server/log/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::Decode;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Follow;
using ::testing::IsEmpty;
using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::Sequences;
using testing::Texts;

class CursorTest : public testing::LogTest {
 protected:
  static std::unique_ptr<Cursor> Open(const std::shared_ptr<Log>& log,
                                      const v1::TailLogRequest& request = Follow()) {
    return *Cursor::Open(log, request);
  }

  // Reads once.
  static std::vector<Slice> Read(Cursor& cursor, size_t max_bytes = 1 << 20) {
    std::vector<Slice> slices;
    next_ = *cursor.Read(max_bytes, &slices);
    return slices;
  }
  inline static Cursor::Next next_;
};

TEST_F(CursorTest, ReadsWhatIsThereThenWaitsThenEnds) {
  const auto log = MakeLog();
  const auto cursor = Open(log);
  EXPECT_THAT(Read(*cursor), IsEmpty());
  EXPECT_EQ(next_, Cursor::Next::kWait);
  log->Append({Out("one", kHour)});
  EXPECT_THAT(Texts(Decode(Read(*cursor))), ElementsAre("one"));
  EXPECT_EQ(next_, Cursor::Next::kWait);
  Finish(*log);
  EXPECT_THAT(Texts(RecordsOf(Decode(Read(*cursor)))), ElementsAre("result"));
  EXPECT_EQ(next_, Cursor::Next::kEnd);
  EXPECT_THAT(Read(*cursor), IsEmpty()) << "reading on after the end";
  EXPECT_EQ(next_, Cursor::Next::kEnd);
}

TEST_F(CursorTest, ReadsALittleMoreThanItIsAskedForAtMost) {
  const auto log = MakeLog();
  const std::string text(1000, 'x');
  for (int i = 1; i <= 20; ++i) log->Append({Out(text, i * kHour)});
  const auto cursor = Open(log);
  EXPECT_THAT(Sequences(Decode(Read(*cursor, 3000))), ElementsAre(1, 2, 3));
  EXPECT_EQ(next_, Cursor::Next::kMore);
  EXPECT_THAT(Sequences(Decode(Read(*cursor, 1))), ElementsAre(4));
  EXPECT_EQ(Sequences(Decode(Read(*cursor, 1 << 20))), Numbers(5, 20));
  EXPECT_EQ(next_, Cursor::Next::kWait);
}

TEST_F(CursorTest, GivesEveryReaderTheSameBytesWithoutCopyingThem) {
  const auto log = MakeLog({.tail_bytes = 300});
  const std::string text(100, 'x');
  for (int i = 1; i <= 10; ++i) log->Append({Out(text, i * kHour), Out(text, i * kHour)});
  const std::vector<Slice> first = Read(*Open(log));
  ASSERT_EQ(first.size(), 10);
  for (int reader = 0; reader < 5; ++reader) {
    const std::vector<Slice> other = Read(*Open(log));
    ASSERT_EQ(other.size(), first.size());
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(other[i].buffer.get(), first[i].buffer.get()) << i;
      EXPECT_EQ(other[i].view(), first[i].view()) << i;
    }
  }
}

TEST_F(CursorTest, StartingWithinABatchSharesItsBytesToo) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour), Out("two", kHour), Out("three", kHour)});
  v1::TailLogRequest request = Follow();
  request.set_from_sequence(2);
  const std::vector<Slice> part = Read(*Open(log, request));
  const std::vector<Slice> whole = Read(*Open(log));
  ASSERT_EQ(part.size(), 1);
  EXPECT_EQ(part[0].buffer.get(), whole[0].buffer.get());
  EXPECT_THAT(Texts(Decode(part)), ElementsAre("two", "three"));
}

TEST_F(CursorTest, TellsEachStateThatIsNewToItBeforeTheRecords) {
  const auto log = MakeLog();
  v1::Run run;
  run.set_id("run");
  log->SetRun(run);
  log->Append({Out("one", kHour)});
  const auto cursor = Open(log);
  std::vector<v1::LogLine> lines = Decode(Read(*cursor));
  ASSERT_EQ(lines.size(), 2);
  EXPECT_EQ(lines[0].run().id(), "run");
  EXPECT_EQ(lines[1].text(), "one");
  EXPECT_THAT(Read(*cursor), IsEmpty()) << "nothing has changed";

  log->SetProgress({});
  lines = Decode(Read(*cursor));
  ASSERT_EQ(lines.size(), 1) << "the progress alone";
  EXPECT_TRUE(lines[0].has_progress());

  lines = Decode(Read(*Open(log)));
  ASSERT_EQ(lines.size(), 3) << "a new reader learns of everything";
  EXPECT_TRUE(lines[0].has_run());
  EXPECT_TRUE(lines[1].has_progress());
}

// A client counts lines from there, and must not be told of less than there is.
TEST_F(CursorTest, TellsTheRunWithTheLastRecordAsItIsWhenTheReaderComes) {
  const auto log = MakeLog();
  log->SetRun({});
  log->Append({Out("one", kHour), Out("two", kHour)});
  const auto cursor = Open(log);
  log->Append({Out("three", 2 * kHour)});
  EXPECT_EQ(Decode(Read(*cursor)).at(0).run().last_sequence(), 2);
}

TEST_F(CursorTest, TellsAStateThatCameBetweenItsStartAndItsFirstRead) {
  const auto log = MakeLog();
  v1::Run run;
  log->SetRun(run);
  const auto cursor = Open(log);
  run.set_state(v1::RUN_STATE_RUNNING);
  log->SetRun(run);
  const std::vector<v1::LogLine> lines = Decode(Read(*cursor));
  EXPECT_TRUE(lines.front().has_run());
  EXPECT_EQ(lines.back().run().state(), v1::RUN_STATE_RUNNING);
  EXPECT_THAT(Read(*cursor), IsEmpty());
}

TEST_F(CursorTest, WakesForAState) {
  const auto log = MakeLog();
  const auto cursor = Open(log);
  Read(*cursor);
  std::jthread reporting([&] { log->SetProgress({}); });
  testing::Await(*cursor);
  EXPECT_TRUE(Decode(Read(*cursor)).at(0).has_progress());
}

TEST_F(CursorTest, IsNotCalledBackOnceDestroyed) {
  const auto log = MakeLog();
  bool woken = false;
  {
    const auto cursor = Open(log);
    ASSERT_TRUE(cursor->Wait([&] { woken = true; }));
  }
  log->Append({Out("one", kHour)});
  EXPECT_FALSE(woken);
}

TEST_F(CursorTest, EndsWithNotFoundWhenTheRunIsDeleted) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour)});
  Finish(*log);
  const auto cursor = Open(log);
  log->MarkDeleted();
  std::vector<Slice> slices;
  EXPECT_TRUE(absl::IsNotFound(cursor->Read(1 << 20, &slices).status()));
}

TEST_F(CursorTest, ReportsWhatTheStoreReports) {
  const auto log = MakeLog({.tail_bytes = 0});
  log->Append({Out("one", kHour)});
  log->Append({Out("two", 2 * kHour)});
  const auto cursor = Open(log);
  store_.Fail(Call::kRead, absl::UnavailableError("a bad moment"), 1);
  std::vector<Slice> slices;
  EXPECT_EQ(cursor->Read(1 << 20, &slices).status(), absl::UnavailableError("a bad moment"));
  EXPECT_EQ(cursor->next(), 1) << "it may be tried again";
  EXPECT_THAT(Sequences(Decode(Read(*cursor))), ElementsAre(1, 2));
}

TEST_F(CursorTest, ItsHeartbeatTellsTheLastRecord) {
  const auto log = MakeLog();
  const auto cursor = Open(log);
  EXPECT_EQ(Decode({cursor->Heartbeat(1)}).at(0).heartbeat().last_sequence(), 0);
  log->Append({Out("one", kHour), Out("two", kHour)});
  const std::vector<v1::LogLine> lines = Decode({cursor->Heartbeat(1)});
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].sequence(), 0);
  EXPECT_EQ(lines[0].heartbeat().last_sequence(), 2);
  EXPECT_TRUE(lines[0].heartbeat().has_time());
}

// For threads that must not wait for the store.
TEST_F(CursorTest, ReadsNoFurtherThanMemoryGoesIfItIsToldSo) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 100; ++i) log->Append({Out("line", i * kHour)});
  const Batch held = **log->Read(1);
  const auto cursor = Open(log);
  EXPECT_TRUE(cursor->IsCheap());
  const int64_t before = store_.count(Call::kRead);
  std::vector<Slice> slices;
  EXPECT_EQ(cursor->TryRead(1 << 20, &slices), Cursor::Next::kMore);
  EXPECT_EQ(Sequences(RecordsOf(Decode(slices))), Numbers(1, 1));
  EXPECT_FALSE(cursor->IsCheap());
  slices.clear();
  EXPECT_EQ(cursor->TryRead(1 << 20, &slices), std::nullopt);
  EXPECT_THAT(slices, IsEmpty());
  EXPECT_EQ(store_.count(Call::kRead), before);
  EXPECT_EQ(*cursor->Read(1 << 20, &slices), Cursor::Next::kWait);
  EXPECT_EQ(cursor->next(), 101);
}

// What another reader has in hand, and nobody else, goes when he lets go of it.
TEST_F(CursorTest, DoesNotGoToTheStoreForWhatHasJustLeftMemory) {
  const auto log = MakeLog({.tail_bytes = 0});
  for (int i = 1; i <= 100; ++i) log->Append({Out("line", i * kHour)});
  const auto cursor = Open(log);
  Batch copy = *memory_.Read(log->run(), 1);
  copy.bytes = Share(std::string(*copy.bytes));  // which the store has not in memory
  store_.ReplaceNextRead(copy);
  copy.bytes = nullptr;
  std::optional<Batch> held = *log->Read(1);
  for (int i = 2; i <= 10; ++i) EXPECT_TRUE(log->Read(i).ok());  // push it out of the cache
  EXPECT_TRUE(cursor->IsCheap());
  held.reset();
  const int64_t before = store_.count(Call::kRead);
  std::vector<Slice> slices;
  EXPECT_EQ(cursor->TryRead(1 << 20, &slices), std::nullopt);
  EXPECT_EQ(store_.count(Call::kRead), before);
  EXPECT_THAT(slices, IsEmpty()) << "nor has it given away what comes before the records";
  EXPECT_EQ(cursor->next(), 1);
  EXPECT_EQ(Sequences(RecordsOf(Decode(Read(*cursor)))), Numbers(1, 100));
}

// Where streams are many, each is to hold less than a batch.
TEST_F(CursorTest, TakesAPartOfABatchThatIsTooLarge) {
  constexpr size_t kMost = 16 << 10;
  const auto log = MakeLog();
  const std::string text(100, 'x');
  const std::vector records(900, Out(text, kHour));
  log->Append(records);
  for (const bool waits : {true, false}) {
    const auto cursor = Open(log);
    std::vector<int64_t> seen;
    for (Cursor::Next next = Cursor::Next::kMore; next == Cursor::Next::kMore;) {
      std::vector<Slice> slices;
      next = waits ? *cursor->Read(kMost, &slices) : *cursor->TryRead(kMost, &slices);
      size_t size = 0;
      for (const Slice& slice : slices) size += slice.size;
      EXPECT_LE(size, 2 * kMost + 2000);
      for (const int64_t number : Sequences(RecordsOf(Decode(slices)))) seen.push_back(number);
    }
    EXPECT_EQ(seen, Numbers(1, 900));
  }
}

TEST_F(CursorTest, ReadsTheTailWithoutTheStore) {
  const auto log = MakeLog();
  const auto cursor = Open(log);
  std::vector<Slice> slices;
  EXPECT_EQ(cursor->TryRead(1 << 20, &slices), Cursor::Next::kWait);
  for (int i = 1; i <= 100; ++i) log->Append({Out("line", i * kHour)});
  EXPECT_EQ(cursor->TryRead(1, &slices), Cursor::Next::kMore);
  EXPECT_EQ(cursor->next(), 2);
  EXPECT_EQ(cursor->TryRead(1 << 20, &slices), Cursor::Next::kWait);
  Finish(*log);
  EXPECT_EQ(cursor->TryRead(1 << 20, &slices), Cursor::Next::kEnd);
  EXPECT_EQ(Sequences(RecordsOf(Decode(slices))), Numbers(1, 101));
  EXPECT_EQ(store_.count(Call::kRead), 0);
}

TEST_F(CursorTest, LooksIntoNoLineWhereItIsToReadMemoryAlone) {
  const auto log = MakeLog();
  log->Append({Out("line", kHour)});
  v1::TailLogRequest request = Follow();
  request.set_pattern("line");
  std::vector<Slice> slices;
  EXPECT_EQ(Open(log, request)->TryRead(1 << 20, &slices), std::nullopt);
}

// One that had to go to the store would fall back further.
TEST_F(CursorTest, FindsInMemoryWhatHasLeftTheTailWhileItWasALittleBehind) {
  BatchCache large(1 << 20);
  services_.cache = &large;
  const auto log = MakeLog({.tail_bytes = 200});
  int64_t time = 0;
  const auto append = [&] { log->Append({Out("line", time += kHour)}); };
  append();
  append();
  const auto cursor = Open(log);
  const int64_t before = store_.count(Call::kRead);
  for (int i = 1; i <= 100; ++i) {
    EXPECT_TRUE(cursor->IsCheap());
    EXPECT_EQ(Sequences(RecordsOf(Decode(Read(*cursor, 1)))), Numbers(i, i));
    append();
    if (i < 50) append();
  }
  EXPECT_EQ(store_.count(Call::kRead), before);
}

TEST_F(CursorTest, LeavesNothingInMemoryForReadersThatAreNotBehind) {
  BatchCache large(1 << 20);
  services_.cache = &large;
  const auto log = MakeLog({.tail_bytes = 0});
  const auto cursor = Open(log);
  for (int i = 1; i <= 100; ++i) {
    log->Append({Out("line", i * kHour)});
    EXPECT_EQ(Sequences(RecordsOf(Decode(Read(*cursor)))), Numbers(i, i));
  }
  for (int i = 1; i < 100; ++i) EXPECT_FALSE(large.Find(log->run(), i)) << i;
}

// With a tail of next to nothing each reader is sometimes at the tail and sometimes at the store,
// and starts anywhere.
TEST_F(CursorTest, FindsNoHoleAndNoRecordTwiceBetweenStoreAndTail) {
  constexpr int64_t kLines = 20'000;
  constexpr int kReaders = 4;
  const auto log = MakeLog({.tail_bytes = 200, .commit_delay = absl::ZeroDuration()});
  std::vector<std::vector<int64_t>> seen(kReaders);
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      const auto cursor = Open(log);
      seen[reader] = Sequences(RecordsOf(ReadToEnd(*cursor, reader + 1)));
    });
  }
  std::jthread hopping([&] {
    for (int64_t from = 1; from <= kLines;) {
      v1::TailLogRequest request;
      request.set_from_sequence(from);
      const std::vector<int64_t> read = Sequences(RecordsOf(ReadToEnd(*Open(log, request), 1)));
      ASSERT_EQ(read, Numbers(from, from + static_cast<int64_t>(read.size()) - 1));
      from += static_cast<int64_t>(read.size() + 1) / 2;  // half of it again
    }
  });
  for (int64_t i = 0; i < kLines; ++i) log->Append({Out("line", i)});
  Finish(*log);
  readers.clear();
  EXPECT_THAT(seen, Each(Numbers(1, kLines + 1)));
}

// The log goes on, and is trimmed, while somebody reads it up to where it ended as he came.
TEST_F(CursorTest, AGapThatGoesBeyondTheEndOfAReaderIsCutThere) {
  for (const std::string pattern : {"", "b"}) {
    const std::string run = "run" + pattern;
    const auto log = MakeLog(LogOptions{.tail_bytes = 1}, run);
    for (int i = 1; i <= 3; ++i) log->Append({Out("a", i * kHour)});
    v1::TailLogRequest request;
    request.set_pattern(pattern);
    const auto cursor = Open(log, request);
    for (int i = 4; i <= 6; ++i) log->Append({Out("b", i * kHour)});
    log->SetFirst(6);
    ASSERT_TRUE(memory_.Trim(run, 6).ok());
    const auto records = RecordsOf(Decode(Read(*cursor)));
    EXPECT_EQ(next_, Cursor::Next::kEnd) << pattern;
    ASSERT_EQ(records.size(), 1) << pattern;
    ASSERT_TRUE(records[0].has_gap()) << pattern;
    EXPECT_EQ(records[0].gap().first(), 1);
    EXPECT_EQ(records[0].gap().last(), 3);
    EXPECT_EQ(records[0].sequence(), 3);
  }
}

}  // namespace
}  // namespace jobtail
