// The thread on which a job's function runs, beside those that serve clients.

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/server/run/engine_fixture.h"
#include "tests/support/thread_slice_probe.h"

namespace jobtail {
namespace {

using testing::SchedulingOf;

using JobThreadTest = testing::EngineTest;

// So that a thread that serves, and is woken, need not wait for the end of its slice.
TEST_F(JobThreadTest, HasLongSlicesOfTheProcessor) {
  uint64_t in_job = 0;
  AddJob(Job("job", [&](JobContext&) { in_job = SchedulingOf().slice_nanos; }));
  Run("job");
  const uint64_t usual = SchedulingOf().slice_nanos;
  EXPECT_EQ(in_job, usual + usual / 2);
}

}  // namespace
}  // namespace jobtail
