// What a run's result says of how its command ended, by what was learned of it.

#include "server/process/command_report.h"

#include <gmock/gmock.h>

#include <csignal>

namespace jobtail::process {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// Of a command that a signal ended.
CommandReport EndedBy(int signal) {
  CommandReport report;
  report.ended = Event{};
  report.ended->status = signal;  // as of waitpid
  return report;
}

TEST(CommandReport, TellsAGroupsMemoryLimitFromTheSystems) {
  CommandReport report = EndedBy(SIGKILL);
  report.memory_kills = 1;
  report.limits_memory = true;
  EXPECT_EQ(ResultOf({}, report).error, "reached its memory limit and was killed");
  report.limits_memory = false;
  EXPECT_EQ(ResultOf({}, report).error,
            "was killed: the system, or the container, had no memory left");
}

// Without a control group only the system's count is known, which may be of others.
TEST(CommandReport, SaysThatMemoryMayHaveLackedWhereTheSystemKilledForIt) {
  CommandReport report = EndedBy(SIGKILL);
  report.system_memory_kills = 1;
  EXPECT_THAT(ResultOf({}, report).error,
              EndsWith("; probably for want of memory, for which the system killed 1 process "
                       "meanwhile"));
  report.system_memory_kills = 2;
  EXPECT_THAT(ResultOf({}, report).error, HasSubstr("killed 2 processes meanwhile"));
}

TEST(CommandReport, SaysNothingOfMemoryForOtherSignals) {
  CommandReport report = EndedBy(SIGSEGV);
  report.system_memory_kills = 1;
  report.memory_kills = 1;
  EXPECT_THAT(ResultOf({}, report).error, ::testing::Not(HasSubstr("memory")));
  EXPECT_EQ(ResultOf({}, report).exit_code, 128 + SIGSEGV);
}

}  // namespace
}  // namespace jobtail::process
