// Tests of how many may sign in at a time.
#include "server/http/login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace jobtail::http {
namespace {

std::string Connection(int address, int port) {
  return absl::StrCat("http:10.0.0.", address, ":", port);
}

TEST(Login, OneAddressHasFewPlacesOverHoweverManyConnections) {
  Login login(nullptr, Clock::System());
  std::vector<Login::Place> places;
  for (int i = 0; i < Login::kMostOfAddress; ++i) {
    auto place = login.Enter(Connection(1, 1000 + i));
    ASSERT_TRUE(place.ok()) << i;
    places.push_back(*std::move(place));
  }
  EXPECT_EQ(login.Enter(Connection(1, 2000)).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(login.Enter(Connection(2, 1000)).ok());
  places.pop_back();
  EXPECT_TRUE(login.Enter(Connection(1, 2000)).ok());
}

TEST(Login, SoHaveAllTogether) {
  Login login(nullptr, Clock::System());
  std::vector<Login::Place> places;
  for (int i = 0; i < Login::kMostWaiting; ++i) {
    auto place = login.Enter(Connection(i, 1000));
    ASSERT_TRUE(place.ok()) << i;
    places.push_back(*std::move(place));
  }
  EXPECT_FALSE(login.Enter(Connection(200, 1000)).ok());
  places.clear();
  EXPECT_TRUE(login.Enter(Connection(200, 1000)).ok());
}

}  // namespace
}  // namespace jobtail::http
