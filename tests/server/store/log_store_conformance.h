// The fixture of the tests that every store has to pass.
#ifndef JOBTAIL_TESTS_SERVER_STORE_LOG_STORE_CONFORMANCE_H_
#define JOBTAIL_TESTS_SERVER_STORE_LOG_STORE_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "server/log/log_store.h"

namespace jobtail {

// An implementation of LogStore, for the tests that each of them must pass. Its own test file says
//
//   INSTANTIATE_TEST_SUITE_P(Memory, LogStoreConformance,
//                            ::testing::Values(StoreUnderTest{std::make_unique<MemoryStore>}));
struct StoreUnderTest {
  // Makes an empty store. What it needs besides, such as a directory, it takes away with it.
  std::function<std::unique_ptr<LogStore>()> make;
};

class LogStoreConformance : public ::testing::TestWithParam<StoreUnderTest> {
 protected:
  LogStore& store() { return *store_; }

  // Creates the run with an empty log and returns its id.
  std::string AddRun(const std::string& id = kRun);

  // Records first to last as a batch, made at `last_time`, with text that tells which they are.
  static Batch MakeBatch(int64_t first, int64_t last, int64_t last_time = 0);

  // Appends batches of `size` records each until the log has `last`.
  void Fill(const std::string& run, int64_t size, int64_t last);

  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";

 private:
  const std::unique_ptr<LogStore> store_ = GetParam().make();
};

}  // namespace jobtail

#endif  // JOBTAIL_TESTS_SERVER_STORE_LOG_STORE_CONFORMANCE_H_
