// The jobtail command against the demo server.

#include <gmock/gmock.h>
#include <signal.h>

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

TEST_F(Command, TakesTheBeginningOfAnId) {
  const std::string run = Jobtail({"run", "--detach", "exit", "code=7"}).out.substr(0, 36);
  const std::string prefix = run.substr(0, 18);
  EXPECT_EQ(Jobtail({"tail", prefix}).exit_code, 7);
  EXPECT_THAT(Jobtail({"show", prefix}).out, HasSubstr(run));
  const auto exported = Jobtail({"export", prefix});
  EXPECT_EQ(exported.out, "exiting with 7\n") << "what it printed to stderr";
  EXPECT_EQ(exported.exit_code, 0);
  const std::string other = Jobtail({"run", "--detach", "exit", "code=0"}).out.substr(0, 36);
  const auto ambiguous = Jobtail({"show", run.substr(0, 4)});
  EXPECT_EQ(ambiguous.exit_code, 125);
  EXPECT_THAT(ambiguous.err, ::testing::AllOf(HasSubstr(run), HasSubstr(other)));
}

TEST_F(Command, CancelsARunThatTakesTooLong) {
  const auto late = Jobtail({"run", "--timeout=1ms", "countdown", "interval=1h"});
  EXPECT_EQ(late.exit_code, 124);
  EXPECT_THAT(late.err, HasSubstr(" has not ended within 1ms; cancelling it"));
  EXPECT_EQ(Jobtail({"run", "--timeout=1h", "exit", "code=3"}).exit_code, 3);
}

TEST_F(Command, FollowsAllRunsOfAJobAsTheyCome) {
  const std::string command = "--server=" + demo_.address();
  StartRun(demo_.stub(), "countdown", {{"interval", "1h"}});
  jobtail::testing::Subprocess tail(
      {.command = {JOBTAIL_COMMAND, command, "tail", "--job=countdown"}});
  ASSERT_TRUE(tail.WaitForOutput(" | Task #0\n")) << "of the one that is at work";
  StartRun(demo_.stub(), "countdown", {{"times", "1"}, {"interval", "0"}});
  StartRun(demo_.stub(), "exit", {{"code", "0"}});
  EXPECT_TRUE(tail.WaitForOutput(" | Done\n")) << "of the one that has come";
  tail.Signal(SIGINT);
  EXPECT_EQ(tail.Wait().exit_code, 130);
  EXPECT_EQ(tail.err(), "");
}

}  // namespace
}  // namespace jobtail::e2e
