// Tests of how jobs and runs look to people.

#include "client/cli/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/codec/proto_time.h"
#include "client/cli/time_format.h"

namespace jobtail::client::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Parameter MakeParameter(const char* name, v1::ParameterType type, const char* value,
                            const char* help) {
  v1::Parameter parameter;
  parameter.set_name(name);
  parameter.set_type(type);
  parameter.set_default_value(value);
  parameter.set_help(help);
  return parameter;
}

const google::protobuf::Timestamp kStart = ToTimestamp(absl::FromUnixSeconds(1'700'000'000));
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'192);

v1::Run Running() {
  v1::Run run;
  run.set_id("run-1");
  run.set_job("countdown");
  run.set_state(v1::RUN_STATE_RUNNING);
  *run.mutable_start_time() = kStart;
  run.set_last_sequence(12);
  return run;
}

v1::Run Killed() {
  v1::Run run = Running();
  run.set_id("run-20");
  run.set_state(v1::RUN_STATE_FAILED);
  run.mutable_result()->set_state(v1::RUN_STATE_FAILED);
  run.mutable_result()->set_signal(9);
  run.mutable_result()->set_error("killed\x1b");
  run.mutable_result()->set_total_lines(11);
  run.mutable_result()->set_total_bytes(500);
  run.mutable_result()->mutable_duration()->set_seconds(7);
  return run;
}

TEST(DescribeJobsTest, ShowsEachParameter) {
  v1::Job job;
  job.set_name("countdown");
  job.set_help("Counts down.");
  *job.add_parameters() = MakeParameter("times", v1::PARAMETER_TYPE_INT, "10", "How often.");
  job.mutable_parameters(0)->set_minimum("1");
  *job.add_parameters() = MakeParameter("mode", v1::PARAMETER_TYPE_ENUM, "", "");
  job.mutable_parameters(1)->add_values("fast");
  job.mutable_parameters(1)->add_values("slow");
  job.mutable_parameters(1)->set_required(true);
  *job.add_parameters() = MakeParameter("note", v1::PARAMETER_TYPE_STRING, "", "A text.");
  EXPECT_EQ(DescribeJobs({job}),
            "countdown  Counts down.\n"
            "    times  int        default 10  How often. (at least 1)\n"
            "    mode   fast|slow  required\n"
            "    note   string     default ''  A text.\n");
}

TEST(DescribeRunsTest, HasALineForEachRun) {
  const std::string table = DescribeRuns({Running(), Killed()}, kNow);
  EXPECT_EQ(table,
            "RUN     JOB        STATE    STARTED              DURATION  EXIT\n"
            "run-1   countdown  RUNNING  " +
                LocalTime(kStart) +
                "  3m12s     -\n"
                "run-20  countdown  FAILED   " +
                LocalTime(kStart) + "  7.00s     signal 9\n");
}

TEST(DescribeRunTest, ShowsWhatIsKnown) {
  v1::Run run = Running();
  (*run.mutable_parameters())["times"] = "10";
  (*run.mutable_parameters())["label"] = "two words";
  run.mutable_progress()->set_fraction(0.456);
  run.mutable_progress()->set_text("copying");
  run.mutable_progress()->mutable_remaining()->set_seconds(90);
  EXPECT_EQ(DescribeRun(run, kNow),
            "run       run-1\n"
            "job       countdown label='two words' times=10\n"
            "state     RUNNING\n"
            "started   " +
                LocalTime(kStart) +
                "\n"
                "duration  3m12s\n"
                "progress  46% copying (1m30s left)\n"
                "printed   12 lines so far\n");
}

TEST(DescribeRunTest, ShowsTheResultOfOneThatHasEnded) {
  const std::string text = DescribeRun(Killed(), kNow);
  EXPECT_THAT(text, HasSubstr("exit      signal 9\n"));
  EXPECT_THAT(text, HasSubstr("error     killed\\x1b\n"));
  EXPECT_THAT(text, HasSubstr("printed   11 lines, 500 bytes\n"));
  EXPECT_THAT(text, Not(HasSubstr("so far")));
  EXPECT_THAT(text, Not(HasSubstr("used")));
}

TEST(DescribeRunTest, OneThatWasLostOrNeverStartedHasNoExitCode) {
  v1::Run lost = Killed();
  lost.set_state(v1::RUN_STATE_LOST);
  lost.mutable_result()->clear_signal();
  EXPECT_THAT(DescribeRun(lost, kNow), HasSubstr("exit      -\n"));
  v1::Run cancelled = Killed();
  cancelled.clear_start_time();
  cancelled.mutable_result()->clear_signal();
  EXPECT_THAT(DescribeRun(cancelled, kNow), HasSubstr("exit     -\n"));
}

TEST(DescribeRunTest, ShowsWhatAProcessHasUsed) {
  v1::Run run = Killed();
  run.mutable_result()->mutable_usage()->mutable_user_time()->set_seconds(2);
  run.mutable_result()->mutable_usage()->mutable_system_time()->set_nanos(250'000'000);
  run.mutable_result()->mutable_usage()->set_peak_memory_bytes(3 << 19);
  EXPECT_THAT(DescribeRun(run, kNow),
              HasSubstr("used      2.00s user, 0.25s system, 1.5 MiB of memory\n"));
}

}  // namespace
}  // namespace jobtail::client::cli
