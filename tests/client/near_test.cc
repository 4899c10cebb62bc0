#include "client/cli/near.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobtail::client::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kJobs = {"backup", "countdown", "count", "firehose"};

TEST(NearNamesTest, FindsMistypedNames) {
  EXPECT_THAT(NearNames("countdwon", kJobs), ElementsAre("countdown", "count"));
  EXPECT_THAT(NearNames("bakcup", kJobs), ElementsAre("backup"));
  EXPECT_THAT(NearNames("firehos", kJobs), ElementsAre("firehose"));
}

TEST(NearNamesTest, FindsNothingFarAway) {
  EXPECT_THAT(NearNames("restore", kJobs), IsEmpty());
  EXPECT_THAT(NearNames("", kJobs), IsEmpty());
  EXPECT_THAT(NearNames(std::string(10'000, 'x'), kJobs), IsEmpty());
}

TEST(DidYouMeanTest, IsAQuestionOrNothing) {
  EXPECT_EQ(DidYouMean("bakup", kJobs), "; did you mean backup?");
  EXPECT_EQ(DidYouMean("x", kJobs), "");
  EXPECT_EQ(DidYouMean("a\x1b", {"a\x1b["}), "; did you mean a\\x1b[?");
}

}  // namespace
}  // namespace jobtail::client::cli
