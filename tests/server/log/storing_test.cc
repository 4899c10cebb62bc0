// When a log stores what was printed, and what readers can see meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "server/log/commit_policy.h"
#include "server/log/log.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::FaultyStore;
using ::testing::Field;
using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::Sequences;
using testing::Texts;

class Storing : public testing::LogTest {
 protected:
  // Until the result is set.
  std::promise<void> OccupyCommitter() {
    std::promise<void> idle;
    committer_.Soon([idle = idle.get_future().share()] { idle.wait(); });
    return idle;
  }

  int64_t stored_last() { return memory_.GetExtent("run")->last; }
};

TEST_F(Storing, ALineThatComesAloneIsVisibleWhenAppendReturns) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour)});
  EXPECT_EQ(log->GetSnapshot().last, 1);
  log->Append({Out("two", 2 * kHour)});
  EXPECT_EQ(log->GetSnapshot().last, 2);
}

TEST_F(Storing, LinesThatComeThickAndFastAreStoredWithinTheDelay) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour)});
  log->Append({Out("two", kHour)});
  log->Append({Out("three", kHour)});
  EXPECT_EQ(log->GetSnapshot().last, 1);
  clock_.Advance(absl::Microseconds(200));
  testing::AwaitRecord(*log, 3);
  EXPECT_EQ(stored_last(), 3);
}

TEST_F(Storing, LinesThatComeThickAndFastAreCollected) {
  const auto log = MakeLog(Collecting());
  log->Append({Out("alone", kHour)});
  for (int i = 0; i < 100; ++i) log->Append({Out("line", kHour)});
  EXPECT_EQ(log->GetSnapshot().last, 1);
  EXPECT_EQ(store_.count(Call::kAppend), 1);
  Finish(*log);
  EXPECT_EQ(store_.count(Call::kAppend), 2);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, 102));
}

// Where many runs store at once, each waits for its turn: the pause is the store's, not the job's.
TEST_F(Storing, LinesAreCollectedHoweverLongTheStoreTakes) {
  const absl::Duration kStoring = absl::Minutes(1);
  const auto log = MakeLog(Collecting());
  store_.AfterNext(Call::kAppend, [&] { clock_.Advance(kStoring); });
  log->Append({Out("alone", kHour)});
  const int64_t pause = absl::ToInt64Nanoseconds(Collecting().commit_delay + kStoring / 2);
  log->Append({Out("printed while that was stored", kHour + pause)});
  EXPECT_EQ(log->GetSnapshot().last, 1);
  EXPECT_EQ(store_.count(Call::kAppend), 1);
}

TEST_F(Storing, AFullBatchIsStoredAtOnce) {
  const auto log = MakeLog(Collecting());
  log->Append({Out("alone", kHour)});
  const std::string text(1000, 'x');
  for (int i = 0; i < 140; ++i) log->Append({Out(text, kHour)});
  AwaitRecord(*log, 2);
  const Batch batch = **log->Read(2);
  EXPECT_GE(batch.bytes->size(), kBatchBytes);
  EXPECT_LT(batch.bytes->size(), kBatchBytes + 1100);
  EXPECT_EQ(batch.last, log->GetSnapshot().last) << "what has not filled a batch yet waits";
  EXPECT_EQ(batch.last, stored_last());
}

// However long that takes within the delay: it is no pause.
TEST_F(Storing, LinesThatComeThickAndFastFillBatches) {
  const auto log = MakeLog({.commit_delay = absl::Hours(2), .full_commit_delay = absl::Hours(2)});
  log->Append({Out("alone", 2 * kHour)});
  const std::string text(1000, 'x');
  const int64_t kEach = kHour / 100;  // a batch takes more than an hour
  for (int i = 1; i <= 540; ++i) log->Append({Out(text, 2 * kHour + i * kEach)});
  AwaitRecord(*log, 500);
  EXPECT_EQ(store_.appended().back().batches, 4) << "together, or each would wake the committer";
  int batches = 0;
  for (int64_t sequence = 2; sequence <= log->GetSnapshot().last; ++batches) {
    const Batch batch = **log->Read(sequence);
    EXPECT_GE(batch.bytes->size(), kBatchBytes);
    sequence = batch.last + 1;
  }
  EXPECT_EQ(batches, 4);
}

// The committer is the one that stores full batches, beside the thread that prints; unless it has
// fallen behind.
TEST_F(Storing, TheThreadThatPrintsStoresItselfWhereFullBatchesWait) {
  const auto log = MakeLog(Collecting());
  std::promise<void> idle = OccupyCommitter();
  log->Append({Out("alone", kHour)});
  const std::string text(1000, 'x');
  int64_t appended = 1;
  for (; log->GetSnapshot().last == 1 && appended < 10'000; ++appended) {
    log->Append({Out(text, kHour)});
  }
  EXPECT_EQ(store_.appended().back().batches, CommitPolicy::kMostAtOnce);
  EXPECT_LT(appended, 10'000);
  EXPECT_GT(log->GetSnapshot().last, appended / 3) << "the older half of what waited";
  idle.set_value();
}

TEST_F(Storing, AFullBatchIsStoredWithoutCuttingTheNext) {
  const auto log = MakeLog(Collecting());
  std::promise<void> idle = OccupyCommitter();
  log->Append({Out("alone", kHour)});
  const std::string text(1000, 'x');
  for (int i = 0; i < 200; ++i) log->Append({Out(text, kHour)});
  idle.set_value();
  AwaitRecord(*log, 2);
  EXPECT_LT(log->GetSnapshot().last, 201);
  for (int i = 0; i < 100; ++i) log->Append({Out(text, kHour)});
  AwaitRecord(*log, 201);
  EXPECT_GE((*log->Read(201))->bytes->size(), kBatchBytes);
}

// The committer comes for a full batch that the thread that prints has stored meanwhile.
TEST_F(Storing, TheCommitterLeavesABatchThatFillsWhereTheFullOneIsStored) {
  const auto log = MakeLog({.unsaved_bytes = 300'000,
                            .commit_delay = absl::Hours(1),
                            .full_commit_delay = absl::Hours(1)});
  std::promise<void> idle = OccupyCommitter();
  log->Append({Out("alone", kHour)});
  const std::string text(1000, 'x');
  for (int i = 0; log->GetSnapshot().last == 1 && i < 1000; ++i) log->Append({Out(text, kHour)});
  const int64_t last = log->GetSnapshot().last;
  std::promise<void> done;
  committer_.After(absl::ZeroDuration(), [&done] { done.set_value(); });
  idle.set_value();
  done.get_future().wait();
  EXPECT_EQ(log->GetSnapshot().last, last);
}

// So that readers get something to do early, and find it in memory.
TEST_F(Storing, WhatHasGatheredIsStoredInParts) {
  const auto log = MakeLog(Collecting());
  store_.Block(Call::kAppend);
  std::jthread job([&] { log->Append({Out("alone", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  const std::string text(1000, 'x');
  for (int i = 0; i < 2000; ++i) log->Append({Out(text, kHour)});
  store_.Unblock(Call::kAppend);
  AwaitRecord(*log, 1900);
  Finish(*log);
  for (const FaultyStore::Appended& appended : store_.appended()) EXPECT_LE(appended.batches, 4);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, 2002));
}

// The committer finds that what it was to store has been: it comes again for what is there.
TEST_F(Storing, WhatFollowsAFullBatchIsStoredThoughNothingMoreComes) {
  const auto log = MakeLog({.commit_delay = absl::Milliseconds(1)});
  const std::string text(1000, 'x');
  int64_t time = kHour;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 150; ++i) log->Append({Out(text, time += 100'000)});
    AwaitRecord(*log, 150 * (round + 1));
  }
}

TEST_F(Storing, NoBatchExceedsTwiceItsSizeWhateverTheLines) {
  const auto log = MakeLog(Collecting());
  const std::string longest(64 << 10, 'x');
  for (int i = 0; i < 10; ++i) log->Append({Out("short", kHour), Out(longest, kHour)});
  Finish(*log);
  for (int64_t sequence = 1; sequence <= 21; ++sequence) {
    EXPECT_LE((*log->Read(sequence))->bytes->size(), 2 * kBatchBytes) << sequence;
  }
}

TEST_F(Storing, NothingIsVisibleBeforeTheStoreHasIt) {
  const auto log = MakeLog();
  store_.Block(Call::kAppend);
  std::atomic<bool> seen = false;
  int64_t id;
  ASSERT_TRUE(log->Wait(
      1, 0, [&] { seen = true; }, &id));
  std::jthread job([&] { log->Append({Out("one", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  EXPECT_EQ(log->GetSnapshot().last, 0);
  EXPECT_EQ(*log->Read(1), std::nullopt);
  EXPECT_FALSE(seen);
  store_.Unblock(Call::kAppend);
  job.join();
  EXPECT_EQ(log->GetSnapshot().last, 1);
  EXPECT_TRUE(seen);
}

TEST_F(Storing, WhatIsPrintedWhileTheStoreIsBusyIsStoredTogether) {
  const auto log = MakeLog();
  store_.Block(Call::kAppend);
  std::jthread job([&] { log->Append({Out("one", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  for (int i = 2; i <= 1000; ++i) log->Append({Out("more", i * kHour)});  // does not wait
  EXPECT_EQ(log->GetSnapshot().last, 0);
  store_.Unblock(Call::kAppend);
  AwaitRecord(*log, 1000);
  EXPECT_EQ(store_.count(Call::kAppend), 2);
  EXPECT_THAT(store_.appended(), Each(Field(&FaultyStore::Appended::batches, 1)));
}

TEST_F(Storing, NothingIsLostOrStoredTwiceWhenTheStoreFailsForAWhile) {
  const auto log = MakeLog();
  store_.Fail(Call::kAppend, kBusy, 3);
  for (int i = 1; i <= 100; ++i) log->Append({Out(absl::StrCat(i), kHour)});
  AwaitRecord(*log, 100);
  EXPECT_GE(store_.count(Call::kAppend), 4);
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  EXPECT_EQ(Sequences(lines), Numbers(1, 101));
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(lines[i - 1].text(), absl::StrCat(i));
}

// What is printed during the attempt waits behind what the attempt was for.
TEST_F(Storing, KeepsTheOrderOfBatchesThatWerePrintedDuringAnAttemptThatFailed) {
  const auto log = MakeLog();
  store_.Block(Call::kAppend);
  std::jthread job([&] { log->Append({Out("first", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  const std::string text(kBatchBytes, 'x');  // makes a batch of its own
  for (int i = 0; i < 3; ++i) log->Append({Out(text, kHour)});
  store_.Fail(Call::kAppend, kBusy, 1);
  store_.Unblock(Call::kAppend);
  AwaitRecord(*log, 4);
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  EXPECT_EQ(Sequences(lines), Numbers(1, 5));
  EXPECT_EQ(lines[0].text(), "first");
}

// More has gathered than is stored at once: what was taken out goes back before what was not.
TEST_F(Storing, KeepsTheOrderWhereAPartOfWhatHasGatheredIsRefused) {
  const auto log = MakeLog(Collecting());
  store_.Block(Call::kAppend);
  std::jthread job([&] { log->Append({Out("first", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  const std::string text(kBatchBytes, 'x');  // makes a batch of its own
  constexpr int kBatches = 2 * CommitPolicy::kMostAtOnce + 1;
  for (int i = 0; i < kBatches; ++i) log->Append({Out(text, kHour)});
  store_.AfterNext(Call::kAppend, [&] { store_.Fail(Call::kAppend, kBusy, 3); });
  store_.Unblock(Call::kAppend);
  job.join();
  log->Append({Out("last", kHour)});
  AwaitRecord(*log, kBatches + 1);
  EXPECT_GE(store_.count(Call::kAppend), 1 + 3 + 3);
  Finish(*log);
  const std::vector<v1::LogLine> lines = ReadToEnd(log);
  EXPECT_EQ(Sequences(lines), Numbers(1, kBatches + 3));
  EXPECT_EQ(lines.front().text(), "first");
  EXPECT_EQ(lines[kBatches + 1].text(), "last");
  for (const FaultyStore::Appended& appended : store_.appended()) {
    EXPECT_LE(appended.batches, CommitPolicy::kMostAtOnce + 1) << "the end may bring a few more";
  }
}

TEST_F(Storing, NothingIsVisibleThatTheStoreHasRefused) {
  const auto log = MakeLog();
  store_.Fail(Call::kAppend, kBusy, kForEver);
  const PassingTime passing(&clock_);
  log->Append({Out("one", kHour)});
  store_.AwaitCount(Call::kAppend, 3);
  EXPECT_EQ(log->GetSnapshot().last, 0);
  store_.Mend(Call::kAppend);
  AwaitRecord(*log, 1);
  EXPECT_EQ(stored_last(), 1);
}

// The job would have to wait for each of these attempts.
TEST_F(Storing, AStoreThatFailsIsNotTriedAgainForEveryLine) {
  const auto log = MakeLog();
  store_.Fail(Call::kAppend, kBusy, kForEver);
  constexpr int kLines = 10'000;
  for (int i = 1; i <= kLines; ++i) log->Append({Out("line", i * kHour)});
  EXPECT_LT(store_.count(Call::kAppend), kLines / 10);
  store_.Mend(Call::kAppend);
  AwaitRecord(*log, kLines);
  const int64_t count = store_.count(Call::kAppend);
  log->Append({Out("alone", (kLines + 1) * kHour)});
  EXPECT_EQ(store_.count(Call::kAppend), count + 1) << "all is as before once it works again";
}

TEST_F(Storing, EveryReaderSeesLinesAndResultUnderManyPrintingThreads) {
  constexpr int kThreads = 4;
  constexpr int kLines = 3000;
  const auto log = MakeLog({.tail_bytes = 10'000});
  const PassingTime passing(&clock_);
  std::vector<std::vector<int64_t>> seen(3);
  std::vector<std::jthread> readers;
  for (std::vector<int64_t>& sequences : seen) {
    readers.emplace_back([&] { sequences = Sequences(ReadToEnd(log)); });
  }
  {
    std::vector<std::jthread> printers;
    for (int thread = 0; thread < kThreads; ++thread) {
      printers.emplace_back([&] {
        for (int i = 0; i < kLines; ++i) log->Append({Out("line", i / 10 * kHour)});
      });
    }
  }
  Finish(*log);
  readers.clear();
  EXPECT_THAT(seen, Each(Numbers(1, kThreads * kLines + 1)));
}

}  // namespace
}  // namespace jobtail
