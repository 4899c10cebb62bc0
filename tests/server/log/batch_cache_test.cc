// Tests of what the batch cache shares, keeps and forgets.

#include "server/log/batch_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jobtail {
namespace {

constexpr size_t kBytes = 10'000;

Batch MakeBatch(int64_t first, int64_t last, size_t size = 100) {
  return {first, last, 7, last, 70, Share(std::string(size, 'x'))};
}

TEST(BatchCache, GivesTheSameBufferToAll) {
  BatchCache cache(kBytes);
  const Batch batch = cache.Add("run", MakeBatch(5, 8));
  const auto found = cache.Find("run", 5);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, batch.bytes);
  EXPECT_EQ(found->first, 5);
  EXPECT_EQ(found->last, 8);
  EXPECT_EQ(found->last_time_unix_nanos, 7);
  EXPECT_EQ(found->total_lines, 8);
  EXPECT_EQ(found->total_bytes, 70);
}

TEST(BatchCache, KnowsABatchByItsRunAndItsRecords) {
  BatchCache cache(kBytes);
  const Batch batch = cache.Add("run", MakeBatch(5, 8));
  cache.Add("run", MakeBatch(20, 20));
  EXPECT_FALSE(cache.Find("other", 5));
  EXPECT_FALSE(cache.Find("run", 4));
  EXPECT_EQ(cache.Find("run", 6)->bytes, batch.bytes);
  EXPECT_EQ(cache.Find("run", 8)->bytes, batch.bytes);
  EXPECT_FALSE(cache.Find("run", 9));
}

TEST(BatchCache, KeepsWhatWasThereFirst) {
  BatchCache cache(kBytes);
  const Batch first = cache.Add("run", MakeBatch(5, 8));
  EXPECT_EQ(cache.Add("run", MakeBatch(5, 8)).bytes, first.bytes);
}

// A store may join batches: then the same record begins a longer one.
TEST(BatchCache, TakesALongerBatchForAShorterOne) {
  BatchCache cache(kBytes);
  const Batch shorter = cache.Add("run", MakeBatch(5, 8));
  const Batch longer = cache.Add("run", MakeBatch(5, 20));
  EXPECT_EQ(longer.last, 20);
  EXPECT_EQ(cache.Find("run", 5)->bytes, longer.bytes);
  EXPECT_EQ(cache.Add("run", MakeBatch(5, 8)).bytes, longer.bytes);
}

TEST(BatchCache, ForgetsTheShorterOneAndKeepsTheLonger) {
  BatchCache cache(kBytes);
  cache.Add("run", MakeBatch(5, 8, 1000));
  const SharedBytes longer = cache.Add("run", MakeBatch(5, 20, 1000)).bytes;
  for (int64_t first = 101; first <= 106; ++first) cache.Add("run", MakeBatch(first, first, 1000));
  EXPECT_EQ(cache.Find("run", 5)->bytes, longer);
}

TEST(BatchCache, OfNoSizeNotesNothing) {
  BatchCache cache(0);
  const Batch batch = cache.Add("run", MakeBatch(5, 8));
  EXPECT_EQ(batch.last, 8);
  EXPECT_FALSE(cache.Find("run", 5));
}

TEST(BatchCache, ForgetsTheOldest) {
  BatchCache cache(kBytes);
  for (int64_t first = 1; first <= 100; ++first) cache.Add("run", MakeBatch(first, first, 1000));
  EXPECT_FALSE(cache.Find("run", 1));
  EXPECT_FALSE(cache.Find("run", 90));
  EXPECT_TRUE(cache.Find("run", 100));
  EXPECT_TRUE(cache.Find("run", 95));
}

TEST(BatchCache, KnowsWhatSomebodyHasHoweverOldItIs) {
  BatchCache cache(kBytes);
  const Batch held = cache.Add("run", MakeBatch(1, 1, 1000));
  for (int64_t first = 2; first <= 100; ++first) cache.Add("run", MakeBatch(first, first, 1000));
  const auto found = cache.Find("run", 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, held.bytes);
}

TEST(BatchCache, HasABatchThatIsLargerThanItself) {
  BatchCache cache(kBytes);
  const Batch large = cache.Add("run", MakeBatch(1, 1, 2 * kBytes));
  EXPECT_EQ(large.bytes->size(), 2 * kBytes);
  EXPECT_TRUE(cache.Find("run", 1));  // for as long as we have it
}

// What many readers have stopped at, and then let go.
TEST(BatchCache, ForgetsWhatNobodyHasAnyMore) {
  BatchCache cache(kBytes);
  std::vector<Batch> held;
  for (int64_t first = 1; first <= 1000; ++first) {
    held.push_back(cache.Add("run", MakeBatch(first, first, 1000)));
  }
  for (const Batch& batch : held) EXPECT_EQ(cache.Find("run", batch.first)->bytes, batch.bytes);
  std::weak_ptr<const std::string_view> first = held.front().bytes;
  held.clear();
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(cache.Find("run", 1));
  for (int64_t next = 2001; next <= 6000; ++next) cache.Add("run", MakeBatch(next, next, 1000));
  EXPECT_TRUE(cache.Find("run", 6000));
}

TEST(BatchCache, CountsWhatTheFindingTakesWhereBatchesAreSmall) {
  BatchCache cache(kBytes);
  for (int64_t first = 1; first <= 100; ++first) cache.Add("run", MakeBatch(first, first, 1));
  EXPECT_FALSE(cache.Find("run", 50));
  EXPECT_TRUE(cache.Find("run", 100));
}

}  // namespace
}  // namespace jobtail
