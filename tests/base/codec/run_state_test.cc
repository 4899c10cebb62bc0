// Tests of what a run's state says of it.
#include "base/codec/run_state.h"

#include <gtest/gtest.h>

namespace jobtail {
namespace {

TEST(RunStateTest, AllButPendingAndRunningAreFinal) {
  for (int state = v1::RunState_MIN + 1; state <= v1::RunState_MAX; ++state) {
    EXPECT_EQ(IsFinal(static_cast<v1::RunState>(state)), state > v1::RUN_STATE_RUNNING);
  }
}

TEST(RunStateTest, OneThatIsNotKnownIsNotFinal) {
  EXPECT_FALSE(IsFinal(v1::RUN_STATE_UNSPECIFIED));
  EXPECT_FALSE(IsFinal(static_cast<v1::RunState>(99)));
}

}  // namespace
}  // namespace jobtail
