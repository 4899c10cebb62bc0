#include "server/log/batch_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

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

TEST(BatchCache, KnowsABatchByItsRunAndItsFirstRecord) {
  BatchCache cache(kBytes);
  cache.Add("run", MakeBatch(5, 8));
  EXPECT_FALSE(cache.Find("other", 5));
  EXPECT_FALSE(cache.Find("run", 6));
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

TEST(BatchCache, CountsWhatTheFindingTakesWhereBatchesAreSmall) {
  BatchCache cache(kBytes);
  for (int64_t first = 1; first <= 100; ++first) cache.Add("run", MakeBatch(first, first, 1));
  EXPECT_FALSE(cache.Find("run", 50));
  EXPECT_TRUE(cache.Find("run", 100));
}

}  // namespace
}  // namespace jobtail
