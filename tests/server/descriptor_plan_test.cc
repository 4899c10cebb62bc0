// Tests of who gets how many descriptors.

#include "server/descriptor_plan.h"

#include <gmock/gmock.h>

namespace jobtail {
namespace {

constexpr size_t kWanted = 10'000;

TEST(DescriptorPlan, LeavesSomethingOfEveryLimit) {
  for (const uint64_t limit : {64, 256, 1024, 4096, 20'000, 1'000'000}) {
    for (const int64_t runs : {1, 1000, 100'000}) {
      const DescriptorPlan plan = PlanDescriptors(limit, runs, kWanted);
      EXPECT_GE(plan.store_files, 32);
      EXPECT_GE(plan.http_connections, 1);
      EXPECT_GE(plan.grpc_connections, 1);
      EXPECT_LE(plan.http_connections, kWanted);
      if (limit < 256) continue;
      const uint64_t connections = plan.http_connections + plan.grpc_connections;
      EXPECT_LE(connections + static_cast<uint64_t>(plan.store_files) + 64, limit) << limit;
    }
  }
}

TEST(DescriptorPlan, GivesWhatIsWantedWhereThereIsEnough) {
  const DescriptorPlan plan = PlanDescriptors(1'000'000, 1000, kWanted);
  EXPECT_EQ(plan.http_connections, kWanted);
  EXPECT_EQ(plan.grpc_connections, 10'000);
  EXPECT_EQ(plan.store_files, 256);
}

TEST(DescriptorPlan, DividesTheUsualLimit) {
  const DescriptorPlan plan = PlanDescriptors(1024, 1000, kWanted);
  EXPECT_EQ(plan.store_files, 256);
  EXPECT_EQ(plan.http_connections, 299);
  EXPECT_EQ(plan.grpc_connections, 149);
}

TEST(DescriptorPlan, LeavesToTheOtherDoorWhatIsNotWanted) {
  const DescriptorPlan plan = PlanDescriptors(1024, 1000, 10);
  EXPECT_EQ(plan.http_connections, 10);
  EXPECT_EQ(plan.grpc_connections, 438);
}

TEST(DescriptorPlan, TakesAnUnlimitedNumberForALargeOne) {
  EXPECT_EQ(PlanDescriptors(~uint64_t{0}, 1000, kWanted).http_connections, kWanted);
}

}  // namespace
}  // namespace jobtail
