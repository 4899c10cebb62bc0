#include "server/run/run_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace jobtail {
namespace {

TEST(RunId, IsAUuidOfVersion7InLowerCase) {
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewRunId();
    EXPECT_TRUE(std::regex_match(id, uuid)) << id;
  }
}

TEST(RunId, BeginsWithTheTimeInMilliseconds) {
  const int64_t before = absl::ToUnixMillis(absl::Now());
  const std::string id = NewRunId();
  const int64_t after = absl::ToUnixMillis(absl::Now());
  uint64_t millis;
  ASSERT_TRUE(absl::SimpleHexAtoi(absl::StrCat(id.substr(0, 8), id.substr(9, 4)), &millis));
  EXPECT_GE(static_cast<int64_t>(millis), before);
  EXPECT_LE(static_cast<int64_t>(millis), after);
}

TEST(RunId, GrowsWithinAThreadAndIsUniqueOverAll) {
  constexpr int kThreads = 8;
  constexpr int kEach = 5000;
  std::vector<std::vector<std::string>> ids(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::vector<std::string>& own : ids) {
      threads.emplace_back([&own] {
        for (int i = 0; i < kEach; ++i) own.push_back(NewRunId());
      });
    }
  }
  std::set<std::string> times;  // the part that orders them
  for (const std::vector<std::string>& own : ids) {
    EXPECT_TRUE(std::ranges::is_sorted(own));
    for (const std::string& id : own) times.insert(id.substr(0, 18));
  }
  EXPECT_EQ(times.size(), kThreads * kEach) << "no two at the same time";
}

TEST(RunId, CannotBeGuessedFromItsNeighbour) {
  std::set<std::string> random_parts;
  for (int i = 0; i < 1000; ++i) random_parts.insert(NewRunId().substr(19));
  EXPECT_EQ(random_parts.size(), 1000);
}

}  // namespace
}  // namespace jobtail
