// Runs named by the beginning of their ids.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RunPrefix : public testing::EngineTest {
 protected:
  RunPrefix() { AddWaitingJob("job"); }

  // How far two ids begin alike.
  static size_t Common(const std::string& a, const std::string& b) {
    return std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
  }
};

TEST_F(RunPrefix, NamesTheOnlyRunThatBeginsSo) {
  const std::string run = Start("job");
  for (size_t size = 4; size <= run.size(); ++size) EXPECT_EQ(Get(run.substr(0, size)).id(), run);
}

TEST_F(RunPrefix, TellsRunsApartFromTheFirstDifferentCharacterOn) {
  const std::string a = Start("job");
  const std::string b = Start("job");
  const size_t common = Common(a, b);
  EXPECT_EQ(Get(a.substr(0, common + 1)).id(), a);
  EXPECT_EQ(Get(b.substr(0, common + 1)).id(), b);
  const absl::Status refusal = TryGet(a.substr(0, common)).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refusal.message()), AllOf(HasSubstr(a), HasSubstr(b)));
}

TEST_F(RunPrefix, ServesEveryCall) {
  const std::string run = Start("job");
  const std::string prefix = run.substr(0, 9);
  v1::TailLogRequest tail;
  tail.set_run(prefix);
  EXPECT_TRUE(engine_.TailLog(tail).ok());
  EXPECT_EQ(Cancel(prefix)->id(), run);
  AwaitResult(prefix);
  EXPECT_TRUE(Delete(prefix).ok());
  EXPECT_EQ(TryGet(run).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RunPrefix, IsNeitherShortNorAnythingElse) {
  const std::string run = Start("job");
  for (const std::string& text :
       {run.substr(0, 3), run + "0", std::string("*"), run.substr(1, 9)}) {
    EXPECT_EQ(TryGet(text).status().code(), absl::StatusCode::kNotFound) << text;
  }
}

TEST_F(RunPrefix, NamesAFewOfManyCandidates) {
  std::string run;
  for (int i = 0; i < 20; ++i) run = Start("job");
  const std::string message(TryGet(run.substr(0, 4)).status().message());
  EXPECT_THAT(message, HasSubstr(", ...; give more"));
  EXPECT_LT(message.size(), 400U);
}

}  // namespace
}  // namespace jobtail
