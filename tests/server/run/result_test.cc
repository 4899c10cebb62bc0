// How runs end by themselves, and what their logs say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Texts;

using ResultTest = testing::EngineTest;

void ExpectResult(const v1::RunResult& result, v1::RunState state, int exit_code,
                  const std::string& error) {
  EXPECT_EQ(result.state(), state) << v1::RunState_Name(result.state());
  EXPECT_EQ(result.exit_code(), exit_code);
  EXPECT_EQ(result.error(), error);
  EXPECT_EQ(result.signal(), 0);
}

TEST_F(ResultTest, OfAFunctionThatReturnsNothingIsSuccess) {
  AddJob(Job("job", [](JobContext&) {}));
  ExpectResult(Run("job").back().result(), v1::RUN_STATE_SUCCEEDED, 0, "");
}

TEST_F(ResultTest, OfAFunctionThatReturnsAnIntIsItsExitCode) {
  AddJob(Job("job", [](JobContext& run) {
           return static_cast<int>(run.Get<int64_t>("code"));
         }).With(Parameter::Int("code")));
  ExpectResult(Run("job", {{"code", "0"}}).back().result(), v1::RUN_STATE_SUCCEEDED, 0, "");
  ExpectResult(Run("job", {{"code", "3"}}).back().result(), v1::RUN_STATE_FAILED, 3, "");
  ExpectResult(Run("job", {{"code", "-1"}}).back().result(), v1::RUN_STATE_FAILED, -1, "");
}

TEST_F(ResultTest, OfAFunctionThatReturnsAStatusIsThatStatus) {
  AddJob(Job("good", [](JobContext&) { return absl::OkStatus(); }));
  AddJob(Job("bad", [](JobContext&) { return absl::NotFoundError("no such file"); }));
  ExpectResult(Run("good").back().result(), v1::RUN_STATE_SUCCEEDED, 0, "");
  ExpectResult(Run("bad").back().result(), v1::RUN_STATE_FAILED, 1, "NOT_FOUND: no such file");
}

TEST_F(ResultTest, OfAFunctionThatThrowsIsFailureWithTheExceptionsText) {
  AddJob(Job("job", [](JobContext&) { throw std::runtime_error("the valve is stuck"); }));
  ExpectResult(Run("job").back().result(), v1::RUN_STATE_FAILED, 1,
               "exception: the valve is stuck");
}

TEST_F(ResultTest, OfAFunctionThatThrowsAnythingIsFailure) {
  AddJob(Job("job", [](JobContext&) { throw 42; }));
  ExpectResult(Run("job").back().result(), v1::RUN_STATE_FAILED, 1,
               "an exception that is no std::exception");
}

TEST_F(ResultTest, OfAFunctionThatMistakesAParameterIsFailure) {
  AddJob(Job("job", [](JobContext& run) { run.Get<int64_t>("tiems"); }));
  ExpectResult(Run("job").back().result(), v1::RUN_STATE_FAILED, 1,
               "exception: parameter tiems is not declared");
}

TEST_F(ResultTest, HasAnErrorTextThatIsUtf8AndNotTooLong) {
  AddJob(Job("bad", [](JobContext&) { throw std::runtime_error("caf\xE9"); }));
  AddJob(Job("long", [](JobContext&) { throw std::runtime_error(std::string(1 << 20, 'x')); }));
  EXPECT_EQ(Run("bad").back().result().error(), "exception: caf?");
  EXPECT_EQ(Run("long").back().result().error().size(), 16 << 10);
}

TEST_F(ResultTest, OfOneRunDoesNotTouchTheNext) {
  AddJob(Job("job", [](JobContext& run) {
           if (run.Get<bool>("fail")) throw std::runtime_error("failed");
         }).With(Parameter::Bool("fail").Default(false)));
  EXPECT_EQ(Run("job", {{"fail", "true"}}).back().result().state(), v1::RUN_STATE_FAILED);
  EXPECT_EQ(Run("job").back().result().state(), v1::RUN_STATE_SUCCEEDED);
}

TEST_F(ResultTest, CountsWhatWasPrinted) {
  AddJob(Job("job", [](JobContext&) { std::cout << "one\ntwo\nno end"; }));
  const v1::RunResult result = Run("job").back().result();
  EXPECT_EQ(result.total_lines(), 3);
  EXPECT_EQ(result.total_bytes(), 14);
  EXPECT_TRUE(result.has_duration());
}

TEST_F(ResultTest, FollowsWhatTheJobPrintedOnBothStreamsInOrder) {
  AddJob(Job("job", [](JobContext&) {
    std::cout << "one" << std::endl;
    fprintf(stderr, "two\n");
    puts("three");
    std::cerr << "four" << std::endl;
  }));
  const std::vector<v1::LogLine> lines = Run("job");
  EXPECT_THAT(Texts(lines), ElementsAre("one", "two", "three", "four", "result"));
  EXPECT_EQ(testing::Sequences(lines), testing::Numbers(1, 5));
  EXPECT_EQ(lines[0].stream(), v1::STREAM_STDOUT);
  EXPECT_EQ(lines[1].stream(), v1::STREAM_STDERR);
  EXPECT_EQ(lines[3].stream(), v1::STREAM_STDERR);
}

TEST_F(ResultTest, FollowsWhatTheJobsThreadsPrinted) {
  AddJob(Job("job", [](JobContext&) { std::jthread([] { std::cout << "child" << std::endl; }); }));
  EXPECT_THAT(Texts(Run("job")), ElementsAre("child", "result"));
}

// The inner run's thread is started by a thread that is captured itself.
TEST_F(ResultTest, OfARunThatStartsAnotherIsItsOwn) {
  AddJob(Job("inner", [](JobContext&) { std::cout << "inner" << std::endl; }));
  AddJob(Job("outer", [this](JobContext&) {
    std::cout << "before" << std::endl;
    const std::vector<v1::LogLine> inner = Run("inner");
    std::cout << "inner had " << inner.size() << " records" << std::endl;
  }));
  EXPECT_THAT(Texts(Run("outer")), ElementsAre("before", "inner had 2 records", "result"));
}

TEST_F(ResultTest, FollowsALineThatWasNotFinished) {
  AddJob(Job("job", [](JobContext&) { std::cout << "no newline at the end"; }));
  const std::vector<v1::LogLine> lines = Run("job");
  EXPECT_THAT(Texts(lines), ElementsAre("no newline at the end", "result"));
  EXPECT_EQ(lines[0].ending(), v1::ENDING_NONE);
}

TEST_F(ResultTest, OfManyRunsAtOnceComesWithTheLinesOfEach) {
  constexpr int kRuns = 30;
  AddJob(Job("job", [](JobContext& run) {
           for (int i = 0; i < 20; ++i) std::cout << run.Get<int64_t>("number") << std::endl;
         }).With(Parameter::Int("number")));
  std::vector<std::string> runs;
  for (int i = 0; i < kRuns; ++i) runs.push_back(Start("job", {{"number", std::to_string(i)}}));
  for (int i = 0; i < kRuns; ++i) {
    std::vector<std::string> expected(20, std::to_string(i));
    expected.emplace_back("result");
    EXPECT_EQ(Texts(AwaitLog(runs[i])), expected);
  }
}

}  // namespace
}  // namespace jobtail
