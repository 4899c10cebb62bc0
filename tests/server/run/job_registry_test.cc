// Tests of the job registry: adding, finding, listing.

#include "server/run/job_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Registry : public ::testing::Test {
 protected:
  absl::Status Add(const std::string& name) {
    std::vector<Job> jobs;
    jobs.emplace_back(name, [](JobContext&) {});
    return jobs_.Replace({}, std::move(jobs));
  }

  std::vector<std::string> List(const std::string& after, size_t limit) {
    std::vector<std::string> names;
    for (const auto& job : jobs_.List(after, limit)) names.push_back(job->name());
    return names;
  }

  JobRegistry jobs_;
};

TEST_F(Registry, FindsWhatWasAdded) {
  ASSERT_TRUE(Add("backup").ok());
  EXPECT_EQ((*jobs_.Find("backup"))->name(), "backup");
}

TEST_F(Registry, RefusesANameThatIsTaken) {
  ASSERT_TRUE(Add("backup").ok());
  EXPECT_EQ(Add("backup"), absl::AlreadyExistsError("job backup is there already"));
}

TEST_F(Registry, RefusesADeclarationThatMakesNoSense) {
  EXPECT_EQ(Add("Backup").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(List("", 10), IsEmpty());
}

TEST_F(Registry, TellsWhatThereIsWhenItDoesNotFind) {
  EXPECT_EQ(jobs_.Find("x").status(), absl::NotFoundError("no job \"x\"; this server has no jobs"));
  ASSERT_TRUE(Add("b").ok());
  ASSERT_TRUE(Add("a").ok());
  EXPECT_EQ(jobs_.Find("x").status(), absl::NotFoundError("no job \"x\"; there are: a, b"));
  for (int i = 10; i < 20; ++i) ASSERT_TRUE(Add(absl::StrCat("job", i)).ok());
  EXPECT_EQ(jobs_.Find("").status().message(),
            "no job \"\"; there are: a, b, job10, job11, job12, job13, job14, job15, job16, job17 "
            "... (12 in all)");
}

TEST_F(Registry, ListsByNameFromAnyPlace) {
  for (const char* name : {"d", "b", "a", "c"}) ASSERT_TRUE(Add(name).ok());
  EXPECT_THAT(List("", 10), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(List("b", 10), ElementsAre("c", "d"));
  EXPECT_THAT(List("b", 1), ElementsAre("c"));
  EXPECT_THAT(List("bb", 1), ElementsAre("c"));
  EXPECT_THAT(List("d", 10), IsEmpty());
}

}  // namespace
}  // namespace jobtail
