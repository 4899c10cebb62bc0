// Tests of searches: how much they do at a time, and what two threads find together.

#include "server/log/log_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/cursor.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::Decode;
using ::testing::IsEmpty;
using testing::Out;
using testing::RecordsOf;
using testing::Sequences;

constexpr int64_t kLines = 40'000;
constexpr int64_t kEvery = 1'000;  // so many lines have one hit
constexpr int64_t kLineBytes = 100;
constexpr size_t kAtOnce = 16 << 10;  // of this size are messages

// A clock on which each look takes a millisecond.
class SlowClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1'700'000'000); }
  absl::Duration Steady() const override { return absl::Milliseconds(++looks_); }
  void WaitUntil(absl::Duration, std::unique_lock<std::mutex>&, std::condition_variable&) override {
    ADD_FAILURE() << "nobody waits";
  }

 private:
  mutable std::atomic<int64_t> looks_ = 0;
};

class LogSearchTest : public testing::LogTest {
 protected:
  // The log of an ended run, in batches of the usual size in the store.
  std::shared_ptr<Log> MakeLongLog(Clock* clock) {
    const auto log = MakeLog();
    std::vector<std::string> texts;
    for (int64_t i = 1; i <= kLines; ++i) {
      texts.push_back(absl::StrCat(i % kEvery == 0 ? "Hit " : "no ", i));
      texts.back().resize(kLineBytes, '.');
    }
    std::vector<TextLine> lines;
    for (const std::string& text : texts) lines.push_back(Out(text));
    log->Append(lines);
    Finish(*log);
    v1::Run run;
    run.set_id("run");
    LogServices services = services_;
    services.clock = clock;
    return Log::OpenEnded(run, *memory_.GetExtent("run"), services);
  }

  static std::unique_ptr<Cursor> Search(const std::shared_ptr<Log>& log,
                                        const std::string& pattern) {
    v1::TailLogRequest request;
    request.set_pattern(pattern);
    return *Cursor::Open(log, request);
  }

  // Every hit up to record `last`, and the result.
  static std::vector<int64_t> Hits(int64_t last) {
    std::vector<int64_t> hits;
    for (int64_t i = kEvery; i <= std::min(last, kLines); i += kEvery) hits.push_back(i);
    if (last > kLines) hits.push_back(kLines + 1);
    return hits;
  }

  // Reads to the end, and holds what was found against the place in the log after each Read.
  static void ExpectAllHits(
      Cursor& cursor, const std::function<void()>& between = [] {}) {
    std::vector<int64_t> found;
    for (auto next = Cursor::Next::kMore; next == Cursor::Next::kMore;) {
      std::vector<Slice> slices;
      next = *cursor.Read(kAtOnce, &slices);
      for (const int64_t hit : Sequences(RecordsOf(Decode(slices)))) found.push_back(hit);
      ASSERT_EQ(found, Hits(cursor.next() - 1));
      between();
    }
    EXPECT_EQ(cursor.next(), kLines + 2);
  }
};

TEST_F(LogSearchTest, LooksThroughSoManyBytesAtATime) {
  const auto cursor = Search(MakeLongLog(&clock_), "nowhere");
  std::vector<Slice> slices;
  EXPECT_EQ(*cursor->Read(kAtOnce, &slices), Cursor::Next::kMore);
  const int64_t bytes = (cursor->next() - 1) * kLineBytes;
  EXPECT_GT(bytes, static_cast<int64_t>(kSearchedBytes * kAtOnce) / 2);
  EXPECT_LT(bytes, static_cast<int64_t>(kSearchedBytes * kAtOnce) * 5 / 4);
  EXPECT_THAT(RecordsOf(Decode(slices)), IsEmpty());
}

TEST_F(LogSearchTest, LooksForSoLongAtATimeAndStopsWithinABatch) {
  SlowClock clock;
  const auto log = MakeLongLog(&clock);
  const auto cursor = Search(log, "[0-9]x?no$");
  std::vector<Slice> slices;
  EXPECT_EQ(*cursor->Read(kAtOnce, &slices), Cursor::Next::kMore);
  EXPECT_GT(cursor->next(), 1);
  EXPECT_LT((cursor->next() - 1) * kLineBytes, 100'000) << "each look at the clock after 16 KiB";
  EXPECT_LT(cursor->next(), (*log->Read(1))->last);
  ExpectAllHits(*Search(log, "Hit"));
  ExpectAllHits(*Search(log, "Hit [0-9]+[.]*$"));
}

TEST_F(LogSearchTest, HoldsNoBatchForAFewLines) {
  const auto cursor = Search(MakeLongLog(&clock_), "Hit");
  std::vector<Slice> slices;
  while (*cursor->Read(kAtOnce, &slices) == Cursor::Next::kMore) {
  }
  size_t bytes = 0;
  for (const Slice& slice : slices) bytes += slice.buffer->size();
  EXPECT_LT(bytes, 3 * kLines / kEvery * kLineBytes);
}

TEST_F(LogSearchTest, KeepsNothingInMemoryForOthers) {
  BatchCache large(64 << 20);
  services_.cache = &large;
  const auto log = MakeLongLog(&clock_);
  ExpectAllHits(*Search(log, "Hit"));
  EXPECT_FALSE(large.Find("run", 1));
  EXPECT_TRUE(log->Read(1).ok());
  EXPECT_TRUE(large.Find("run", 1)) << "as a plain read does";
}

// How many there were: each may add another one before it ends.
size_t JoinAll(std::mutex* mutex, std::deque<std::jthread>* threads) {
  for (size_t joined = 0;; ++joined) {
    std::jthread next;
    {
      const std::lock_guard lock(*mutex);
      if (joined == threads->size()) return joined;
      next = std::move((*threads)[joined]);
    }
    next.join();
  }
}

TEST_F(LogSearchTest, FindsTheSameWhoeverDoesAPartOfIt) {
  SlowClock slow;
  for (Clock* const clock : {static_cast<Clock*>(&clock_), static_cast<Clock*>(&slow)}) {
    const auto log = MakeLongLog(clock);
    for (const char* pattern : {"Hit", "Hit [0-9]+", "^Hit"}) {
      int pieces = 0;
      auto cursor = Search(log, pattern);
      cursor->ShareSearch([&](const std::function<void()>& piece) {
        ++pieces;
        piece();
      });
      ExpectAllHits(*cursor);
      EXPECT_GT(pieces, 1) << "at once";

      cursor = Search(log, pattern);
      cursor->ShareSearch([](const std::function<void()>&) {});
      ExpectAllHits(*cursor);  // never

      std::vector<std::function<void()>> later;
      cursor = Search(log, pattern);
      cursor->ShareSearch([&](std::function<void()> piece) { later.push_back(std::move(piece)); });
      int reads = 0;
      ExpectAllHits(*cursor, [&] {
        if (++reads % 2 == 0) return;
        for (const auto& piece : std::exchange(later, {})) piece();
      });

      // One piece has the next one begun, on a thread of its own.
      std::mutex mutex;
      std::deque<std::jthread> threads;
      cursor = Search(log, pattern);
      cursor->ShareSearch([&](std::function<void()> piece) {
        const std::lock_guard lock(mutex);
        threads.emplace_back(std::move(piece));
      });
      ExpectAllHits(*cursor);
      cursor.reset();
      EXPECT_GE(JoinAll(&mutex, &threads), 1);
    }
    memory_.DeleteRun("run").IgnoreError();
  }
}

TEST_F(LogSearchTest, MeetsTheErrorOfAPieceItself) {
  const auto log = MakeLongLog(&clock_);
  const auto cursor = Search(log, "Hit");
  cursor->ShareSearch([&](const std::function<void()>& piece) {
    store_.Fail(Call::kRead, absl::UnavailableError("a bad moment"), 1);
    piece();
  });
  ExpectAllHits(*cursor);  // by reading again
}

TEST_F(LogSearchTest, APieceWhoseReaderHasGoneDoesNothing) {
  const auto log = MakeLongLog(&clock_);
  std::vector<std::function<void()>> pieces;
  auto cursor = Search(log, "Hit");
  cursor->ShareSearch([&](std::function<void()> piece) { pieces.push_back(std::move(piece)); });
  std::vector<Slice> slices;
  ASSERT_EQ(*cursor->Read(kAtOnce, &slices), Cursor::Next::kMore);
  ASSERT_EQ(pieces.size(), 1u);
  cursor.reset();
  const int64_t before = store_.count(Call::kRead);
  pieces[0]();
  EXPECT_EQ(store_.count(Call::kRead), before);
}

}  // namespace
}  // namespace jobtail
