// Tests of the store in memory, beyond those of all stores.

#include "server/store/memory_store.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/server/store/log_store_conformance.h"

namespace jobtail {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, LogStoreConformance,
                         ::testing::Values(StoreUnderTest{std::make_unique<MemoryStore>}));

// Encoded once: what readers are given is what the log has appended, not a copy.
TEST(MemoryStore, KeepsTheBytesThatItWasGiven) {
  MemoryStore store;
  storage::v1::StoredRun run;
  run.mutable_run()->set_id("run");
  ASSERT_TRUE(store.PutRun(run).ok());
  const auto bytes = Share("bytes");
  ASSERT_TRUE(store.Append("run", {Batch{1, 1, 0, 0, 0, bytes}}, false).ok());
  EXPECT_EQ(store.Read("run", 1)->bytes, bytes);
  EXPECT_EQ(store.FindTime("run", 0)->bytes, bytes);
}

}  // namespace
}  // namespace jobtail
