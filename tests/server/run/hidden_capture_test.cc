// Runs of a program that hides the functions by which their output is caught (--exclude-libs).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HiddenCaptureTest : public testing::EngineTest {
 protected:
  std::vector<v1::LogLine> LinesOf(const Job& job) {
    AddJob(job);
    std::vector<v1::LogLine> lines = AwaitLog(Start(job.name()));
    EXPECT_TRUE(lines.back().has_result());
    lines.pop_back();
    return lines;
  }
};

TEST_F(HiddenCaptureTest, EachRunsLogSaysSoOnce) {
  for (const char* name : {"first", "second"}) {
    const auto lines = LinesOf(Job(name, [](JobContext& run) { run.Print("by hand"); }));
    ASSERT_EQ(lines.size(), 2);
    EXPECT_THAT(lines[0].text(), AllOf(StartsWith("jobtail: output of this job is missing here. "),
                                       HasSubstr("link it into the program")));
    EXPECT_EQ(lines[0].stream(), v1::STREAM_STDERR);
    EXPECT_EQ(lines[1].text(), "by hand");
  }
}

TEST_F(HiddenCaptureTest, NothingIsSaidWhereTheDescriptorsAreTheRunsOwn) {
  const auto lines = LinesOf(Job("job", [](JobContext&) {
                               std::cout << "caught" << std::endl;
                             }).Capture({.private_descriptors = true}));
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].text(), "caught");
}

}  // namespace
}  // namespace jobtail
