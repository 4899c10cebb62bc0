// Tests of a job's declaration, and of the parameters of a run.

#include "server/run/job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/map.h"
#include "jobtail/v1/job.pb.h"
#include "server/run/job_check.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;

Job Named(const std::string& name) {
  return Job(name, [](JobContext&) {});
}

using Given = google::protobuf::Map<std::string, std::string>;

Given MakeGiven(const std::vector<std::pair<std::string, std::string>>& entries) {
  Given given;
  for (const auto& [name, value] : entries) given[name] = value;
  return given;
}

std::string Complaint(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(Job, TellsWhatItIs) {
  const Job job = Named("countdown")
                      .Help("Counts.")
                      .With(Parameter::Int("times").Default(10))
                      .With(Parameter::String("name"))
                      .Timeout(absl::Milliseconds(1500));
  EXPECT_TRUE(job.Check().ok());
  const v1::Job& proto = job.proto();
  EXPECT_EQ(proto.name(), "countdown");
  EXPECT_EQ(proto.help(), "Counts.");
  ASSERT_EQ(proto.parameters_size(), 2);
  EXPECT_EQ(proto.parameters(0).name(), "times");
  EXPECT_EQ(proto.parameters(1).name(), "name");
  EXPECT_EQ(proto.timeout().seconds(), 1);
  EXPECT_EQ(proto.timeout().nanos(), 500'000'000);
}

TEST(Job, MayOwnWhatCanOnlyBeMoved) {
  auto owned = std::make_unique<int>(7);
  const Job job("job", [owned = std::move(owned)](JobContext&) { return *owned; });
  const Job copy = job;
  JobContext context("run", {}, {}, [](double, std::string_view) {});
  EXPECT_EQ((*job.function())(context).exit_code, 7);
  EXPECT_EQ((*copy.function())(context).exit_code, 7);
}

TEST(Job, IsAValue) {
  Job job = Named("job").Help("one");
  Job copy = job;
  copy.Help("two");
  EXPECT_EQ(job.proto().help(), "one");
  job = copy;
  copy.Help("three");
  EXPECT_EQ(job.proto().help(), "two");
  auto parameter = Parameter::Int("n").Help("one");
  auto other = parameter;
  other.Help("two");
  EXPECT_EQ(parameter.proto().help(), "one");
}

TEST(Job, TakesDurationsOfChrono) {
  const Job job = Named("job").Timeout(std::chrono::minutes(2)).KeepAge(std::chrono::hours(1));
  EXPECT_EQ(job.timeout(), absl::Minutes(2));
  EXPECT_EQ(*job.options().retention.max_age, absl::Hours(1));
}

TEST(Job, HasNoTimeoutUnlessItIsGivenOne) {
  EXPECT_FALSE(Named("job").proto().has_timeout());
  EXPECT_EQ(Named("job").timeout(), absl::InfiniteDuration());
  const Job endless = Named("job").Timeout(absl::Seconds(1)).Timeout(absl::InfiniteDuration());
  EXPECT_TRUE(endless.Check().ok());
  EXPECT_FALSE(endless.proto().has_timeout());
}

TEST(JobDeclaration, NeedsAName) {
  EXPECT_TRUE(Named("a-job_2").Check().ok());
  for (const char* name : {"", "Job", "1st", "a b", "-a"}) {
    EXPECT_THAT(Complaint(Named(name).Check()), HasSubstr("a name is a lower-case letter")) << name;
  }
}

TEST(JobDeclaration, NeedsATimeoutThatTakesTime) {
  EXPECT_EQ(Complaint(Named("job").Timeout(absl::ZeroDuration()).Check()),
            "job job: timeout 0: must be more than 0");
  EXPECT_EQ(Complaint(Named("job").Timeout(absl::Seconds(-1)).Check()),
            "job job: timeout -1s: must be more than 0");
}

TEST(JobDeclaration, NeedsParametersThatMakeSense) {
  EXPECT_EQ(Complaint(Named("job").With(Parameter::Duration("d").Default("x")).Check()),
            "job job: parameter d=\"x\": give a duration with its unit, such as 1.5s or 2h30m");
  EXPECT_EQ(Complaint(Named("job").With(Parameter::Int("n")).With(Parameter::String("n")).Check()),
            "job job: parameter n is declared twice");
}

class JobParameters : public ::testing::Test {
 protected:
  const Job job_ = Named("job")
                       .With(Parameter::Int("times").Default(10).Range(0, 100))
                       .With(Parameter::String("name"))
                       .With(Parameter::Bool("loud").Default(false));
};

TEST_F(JobParameters, AreReadAndFilledUpWithTheDefaults) {
  const auto values = ParseParameters(job_, MakeGiven({{"name", "x"}, {"loud", "yes"}}));
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(values->size(), 3);
  EXPECT_EQ(std::get<int64_t>(values->at("times")), 10);
  EXPECT_EQ(std::get<std::string>(values->at("name")), "x");
  EXPECT_EQ(std::get<bool>(values->at("loud")), true);
}

TEST_F(JobParameters, MustBeThereIfTheyHaveNoDefault) {
  EXPECT_EQ(Complaint(ParseParameters(job_, MakeGiven({{"times", "1"}})).status()),
            "job job: parameter name is missing; give name=VALUE");
}

TEST_F(JobParameters, MustBeDeclared) {
  EXPECT_EQ(Complaint(ParseParameters(job_, MakeGiven({{"name", "x"}, {"time", "1"}})).status()),
            "job job has no parameter \"time\"; it has times, name, loud");
  EXPECT_EQ(Complaint(ParseParameters(Named("job"), MakeGiven({{"time", "1"}})).status()),
            "job job has no parameter \"time\"; it has none");
}

TEST_F(JobParameters, MustBeRight) {
  EXPECT_EQ(Complaint(ParseParameters(job_, MakeGiven({{"name", "x"}, {"times", "101"}})).status()),
            "parameter times=\"101\": give 100 or less");
}

}  // namespace
}  // namespace jobtail
