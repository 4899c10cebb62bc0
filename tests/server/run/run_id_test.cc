// Tests of run ids: their form, their order, their randomness.

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
  RunIds ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = ids.Make(absl::Now());
    EXPECT_TRUE(std::regex_match(id, uuid)) << id;
    EXPECT_TRUE(IsRunId(id));
  }
}

uint64_t MillisOf(const std::string& id) {
  uint64_t millis = 0;
  EXPECT_TRUE(absl::SimpleHexAtoi(absl::StrCat(id.substr(0, 8), id.substr(9, 4)), &millis));
  return millis;
}

TEST(RunId, BeginsWithTheTimeInMilliseconds) {
  RunIds ids;
  EXPECT_EQ(MillisOf(ids.Make(absl::FromUnixMillis(1'700'000'000'123))), 1'700'000'000'123);
}

TEST(RunId, GrowsThoughTheClockIsSetBack) {
  RunIds ids;
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string before = ids.Make(now);
  const std::string after = ids.Make(now - absl::Hours(1));
  EXPECT_LT(before, after);
  EXPECT_EQ(MillisOf(after), MillisOf(before));
}

TEST(RunId, GrowsBeyondThoseOfAnEarlierProcess) {
  RunIds earlier;
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string ahead = earlier.Make(now + absl::Hours(24));
  RunIds ids;
  ids.Continue(earlier.Make(now - absl::Hours(24)));
  ids.Continue(ahead);
  ids.Continue(earlier.Make(now));
  EXPECT_LT(ahead, ids.Make(now));
  EXPECT_EQ(MillisOf(ids.Make(now + absl::Hours(48))), absl::ToUnixMillis(now + absl::Hours(48)));
}

TEST(RunId, IsNotLedAstrayByAnIdThatTellsNoTime) {
  RunIds ids;
  for (const char* id : {"", "no id", "ffffffff-ffff-4fff-8fff-ffffffffffff",
                         "ffffffff-ffff-7fff-8fff-ffffffffffff"}) {
    ids.Continue(id);
  }
  EXPECT_EQ(MillisOf(ids.Make(absl::FromUnixMillis(1'700'000'000'123))), 1'700'000'000'123);
}

TEST(RunId, GrowsWithinAThreadAndIsUniqueOverAll) {
  constexpr int kThreads = 8;
  constexpr int kEach = 5000;
  RunIds ids;
  std::vector<std::vector<std::string>> made(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::vector<std::string>& own : made) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) own.push_back(ids.Make(absl::Now()));
      });
    }
  }
  std::set<std::string> times;  // the part that orders them
  for (const std::vector<std::string>& own : made) {
    EXPECT_TRUE(std::ranges::is_sorted(own));
    for (const std::string& id : own) times.insert(id.substr(0, 18));
  }
  EXPECT_EQ(times.size(), kThreads * kEach) << "no two at the same time";
}

TEST(RunId, CannotBeGuessedFromItsNeighbour) {
  RunIds ids;
  std::set<std::string> random_parts;
  for (int i = 0; i < 1000; ++i) random_parts.insert(ids.Make(absl::Now()).substr(19));
  EXPECT_EQ(random_parts.size(), 1000);
}

}  // namespace
}  // namespace jobtail
