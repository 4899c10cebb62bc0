// Looking for what a command has left behind takes long, and keeps nobody waiting but its run.

#include <gmock/gmock.h>
#include <signal.h>

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/server/process/process_fixture.h"

namespace jobtail::testing {
namespace {

using ::testing::ElementsAre;

struct HasNotification {
  absl::Notification found_;
};

class StraysTest : public HasNotification, public ProcessTest {
 protected:
  StraysTest()
      : ProcessTest({}, [this](const std::string& variable) {
          found_.WaitForNotification();
          return process::KillStrays(variable);
        }) {}

  // A run whose supervisor was killed.
  std::string Orphaned() {
    const std::string run = StartCommand(Shell("echo $PPID; exec sleep 1000"));
    EXPECT_TRUE(Eventually([&] { return ReadLog(run).size() == 1; }));
    kill(std::stoi(Lines(ReadLog(run)).front()), SIGKILL);
    return run;
  }
};

TEST_F(StraysTest, OtherCommandsGoOnMeanwhile) {
  const std::vector<std::string> orphaned = {Orphaned(), Orphaned(), Orphaned(), Orphaned()};
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(Lines(RunCommand(Shell("echo hello"))), ElementsAre("hello"));
  }
  for (const std::string& run : orphaned) EXPECT_FALSE(Get(run).has_result());
  found_.Notify();
  for (const std::string& run : orphaned) {
    EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_FAILED);
  }
}

}  // namespace
}  // namespace jobtail::testing
