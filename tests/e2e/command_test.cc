// The jobtail command against the demo server.

#include <gmock/gmock.h>

#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class Command : public ::testing::Test {
 protected:
  jobtail::testing::Outcome Jobtail(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {JOBTAIL_COMMAND, "--server=" + demo_.address()});
    return jobtail::testing::Run({.command = std::move(arguments)});
  }

  DemoServer demo_;
};

TEST_F(Command, PrintsWhatTheJobPrintsAndEndsAsItEnds) {
  const auto counted = Jobtail({"run", "countdown", "times=3", "interval=0"});
  EXPECT_EQ(counted.out, "Task #0\nTask #1\nTask #2\nDone\n");
  EXPECT_EQ(counted.exit_code, 0);
  const auto exited = Jobtail({"run", "exit", "code=42"});
  EXPECT_EQ(exited.out, "");
  EXPECT_THAT(exited.err, HasSubstr("exiting with 42\n"));
  EXPECT_EQ(exited.exit_code, 42);
}

TEST_F(Command, KeepsEveryByte) {
  const auto printed = Jobtail({"run", "bytes", "long_line=200000"});
  EXPECT_EQ(printed.out, "caf\xC3\xA9 \xE2\x9C\x93\ncaf\xE9 \xFF\xFE\n" +
                             std::string("nul\0nul", 7) + "\n\n" + std::string(200'000, 'x') +
                             "\nno newline at the end");
  EXPECT_THAT(printed.err, HasSubstr("on stderr\n"));
}

TEST_F(Command, FollowsARunThatWasStartedDetached) {
  const auto detached = Jobtail({"run", "--detach", "countdown", "times=3", "interval=1ms"});
  ASSERT_THAT(detached.out, MatchesRegex("[0-9a-f-]+\n"));
  const std::string run = detached.out.substr(0, 36);
  const auto tailed = Jobtail({"tail", run});
  EXPECT_EQ(tailed.out, "Task #0\nTask #1\nTask #2\nDone\n");
  EXPECT_EQ(tailed.exit_code, 0);
  EXPECT_THAT(Jobtail({"runs"}).out, HasSubstr(run));
  EXPECT_EQ(Jobtail({"rm", run}).exit_code, 0);
  EXPECT_NE(Jobtail({"show", run}).exit_code, 0);
}

}  // namespace
}  // namespace jobtail::e2e
