// Tests of what clients may have the server hold for them.

#include "server/stream/byte_budget.h"

#include <gmock/gmock.h>

#include <utility>

namespace jobtail {
namespace {

using ::testing::HasSubstr;
using Reservation = ByteBudget::Reservation;

TEST(ByteBudget, RefusesAConnectionWhatIsBeyondItsBound) {
  ByteBudget budget({.connection = 100, .address = 1000, .total = 1000});
  Reservation first(&budget, "ipv4:10.0.0.1:1");
  Reservation second(&budget, "ipv4:10.0.0.1:1");
  Reservation other(&budget, "ipv4:10.0.0.1:2");
  EXPECT_TRUE(first.Resize(60).ok());
  const absl::Status refused = second.Resize(50);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.message(), HasSubstr("this connection"));
  EXPECT_EQ(second.bytes(), 0);
  EXPECT_TRUE(second.Resize(40).ok());
  EXPECT_TRUE(other.Resize(100).ok());
}

TEST(ByteBudget, RefusesAnAddressWhatIsBeyondItsBoundThroughEitherDoor) {
  ByteBudget budget({.connection = 100, .address = 150, .total = 1000});
  Reservation grpc(&budget, "ipv4:10.0.0.1:1");
  Reservation http(&budget, "http:10.0.0.1:2");
  Reservation other(&budget, "http:10.0.0.2:2");
  EXPECT_TRUE(grpc.Resize(100).ok());
  EXPECT_THAT(http.Resize(51).message(), HasSubstr("this client's address"));
  EXPECT_TRUE(http.Resize(50).ok());
  EXPECT_TRUE(other.Resize(100).ok());
}

TEST(ByteBudget, RefusesAllWhatIsBeyondTheWhole) {
  ByteBudget budget({.connection = 100, .address = 100, .total = 150});
  Reservation first(&budget, "ipv4:10.0.0.1:1");
  Reservation second(&budget, "ipv4:10.0.0.2:1");
  EXPECT_TRUE(first.Resize(100).ok());
  EXPECT_THAT(second.Resize(51).message(), HasSubstr("all clients"));
  first.Release();
  EXPECT_TRUE(second.Resize(100).ok());
}

TEST(ByteBudget, GetsEverythingBack) {
  ByteBudget budget({.connection = 100, .address = 100, .total = 100});
  {
    Reservation first(&budget, "ipv4:10.0.0.1:1");
    EXPECT_TRUE(first.Resize(80).ok());
    EXPECT_TRUE(first.Resize(30).ok());
    EXPECT_EQ(budget.reserved(), 30);
    Reservation moved(std::move(first));
    EXPECT_EQ(budget.reserved(), 30);
    Reservation assigned(&budget, "ipv4:10.0.0.1:2");
    EXPECT_TRUE(assigned.Resize(10).ok());
    assigned = std::move(moved);
    EXPECT_EQ(budget.reserved(), 30);
    EXPECT_EQ(assigned.bytes(), 30);
  }
  EXPECT_EQ(budget.reserved(), 0);
}

}  // namespace
}  // namespace jobtail
