// Tests of exit codes and names of states.

#include "client/run_state.h"

#include <gtest/gtest.h>

namespace jobtail::client {
namespace {

int ExitCodeOf(v1::RunState state, int exit_code = 0, int signal = 0) {
  v1::RunResult result;
  result.set_state(state);
  result.set_exit_code(exit_code);
  result.set_signal(signal);
  return ExitCode(result);
}

TEST(ExitCodeTest, IsTheJobsOwn) {
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_SUCCEEDED), 0);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 1), 1);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 255), 255);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_CANCELLED, 7), 7);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_TIMED_OUT, 9), 9);
}

TEST(ExitCodeTest, ThatDoesNotFitNeverLooksLikeSuccess) {
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 256), 255);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 512), 255);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, -1), 255);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, -256), 255);
}

TEST(ExitCodeTest, OfARunThatNamedNone) {
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED), 1);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_CANCELLED), 130);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_TIMED_OUT), 124);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_UNSPECIFIED), 125);
}

TEST(ExitCodeTest, OfALostRunIsOurs) {
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_LOST), 125);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_LOST, 3), 125);
}

TEST(ExitCodeTest, OfAKilledJobIs128AndTheSignal) {
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 0, 9), 137);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 1, 11), 139);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_CANCELLED, 0, 15), 143);
  EXPECT_EQ(ExitCodeOf(v1::RUN_STATE_FAILED, 0, 4000), 255);
}

TEST(StateTest, NamesAreThoseOfTheApi) {
  for (int state = v1::RunState_MIN + 1; state <= v1::RunState_MAX; ++state) {
    const auto value = static_cast<v1::RunState>(state);
    EXPECT_EQ("RUN_STATE_" + std::string(StateName(value)), v1::RunState_Name(value));
  }
  EXPECT_STREQ(StateName(static_cast<v1::RunState>(99)), "UNKNOWN");
}

}  // namespace
}  // namespace jobtail::client
