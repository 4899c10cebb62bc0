// Tests of suggestions for mistyped names.

#include "base/nearest_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kJobs = {"backup", "countdown", "count", "firehose"};

TEST(NearestNamesTest, FindsMistypedNames) {
  EXPECT_THAT(NearestNames("countdwon", kJobs), ElementsAre("countdown", "count"));
  EXPECT_THAT(NearestNames("bakcup", kJobs), ElementsAre("backup"));
  EXPECT_THAT(NearestNames("firehos", kJobs), ElementsAre("firehose"));
}

TEST(NearestNamesTest, TakesUpperAndLowerCaseAsAlike) {
  EXPECT_THAT(NearestNames("BACKUP", kJobs), ElementsAre("backup"));
}

TEST(NearestNamesTest, FindsNothingFarAway) {
  EXPECT_THAT(NearestNames("restore", kJobs), IsEmpty());
  EXPECT_THAT(NearestNames("", kJobs), IsEmpty());
  EXPECT_THAT(NearestNames(std::string(10'000, 'x'), kJobs), IsEmpty());
}

TEST(DidYouMeanTest, IsAQuestionOrNothing) {
  EXPECT_EQ(DidYouMean("bakup", kJobs), "; did you mean backup?");
  EXPECT_EQ(DidYouMean("x", kJobs), "");
  EXPECT_EQ(DidYouMean("a\x1b", {"a\x1b["}), "; did you mean a\\x1b[?");
}

}  // namespace
}  // namespace jobtail
