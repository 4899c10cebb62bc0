// The fixture of tests of a log on a store that can be disturbed.
#ifndef JOBTAIL_TESTS_SERVER_LOG_LOG_FIXTURE_H_
#define JOBTAIL_TESTS_SERVER_LOG_LOG_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/scheduler.h"
#include "server/log/log.h"
#include "server/store/memory_store.h"
#include "tests/server/support/faulty_store.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail::testing {

// A log on a store that a test can disturb, and on a clock that stands still: the committer comes
// when the test lets time pass. (The pauses between lines are those of the times that they carry.)
class LogTest : public ::testing::Test {
 protected:
  // What the store is to fail with, and how often if it is to go on.
  inline static const absl::Status kBusy = absl::UnavailableError("the disk is busy");
  static constexpr int kForEver = 1 << 30;

  using Call = FaultyStore::Call;

  std::shared_ptr<Log> MakeLog(const LogOptions& options = {}, const std::string& run = "run") {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    EXPECT_TRUE(memory_.PutRun(put).ok());
    return std::make_shared<Log>(run, services_, options);
  }

  // Lines are stored only when a batch is full, at the end, or when one comes after a pause.
  static LogOptions Collecting() { return {.commit_delay = absl::Hours(1)}; }

  static void Finish(Log& log) {
    log.Finish({}, [](const v1::RunResult&) { return v1::Run(); });
  }

  // Lets time pass until readers of `log` can see record `sequence`.
  void AwaitRecord(Log& log, int64_t sequence) {
    const PassingTime passing(&clock_);
    testing::AwaitRecord(log, sequence);
  }

  FakeClock clock_;
  MemoryStore memory_;
  FaultyStore store_{&memory_};
  BatchCache cache_{1000};  // a few batches
  Scheduler committer_{"test-commit", &clock_};
  Scheduler waker_{"test-wake", &clock_};
  LogServices services_{&store_, &cache_, &committer_, &waker_, &clock_};
};

// The time of a line that comes so long after another that it is stored at once.
inline constexpr int64_t kHour = int64_t{3600} * 1'000'000'000;

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_LOG_LOG_FIXTURE_H_
