// Tests of how the server's memory is divided, and how much of it there is.

#include "server/memory_plan.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;

constexpr size_t kMiB = 1 << 20;

TEST(MemoryPlan, FitsIntoASmallMachine) {
  const MemoryPlan plan = PlanMemory(150 * kMiB);
  // RocksDB has up to four buffers for batches, and as much again for the rest.
  const size_t store = plan.store_cache + 8 * plan.store_write_buffer;
  const size_t logs = static_cast<size_t>(plan.unsaved) + 50 * plan.log_tail + plan.batch_cache;
  EXPECT_LE(store + logs + plan.clients.address, 110 * kMiB);
}

TEST(MemoryPlan, GrowsNoFurtherThanWhatIsOfUse) {
  const MemoryPlan plan = PlanMemory(size_t{1} << 40);
  EXPECT_EQ(plan.store_cache, 32 * kMiB);
  EXPECT_EQ(plan.store_write_buffer, 16 * kMiB);
  EXPECT_EQ(plan.batch_cache, 16 * kMiB);
  EXPECT_EQ(plan.log_tail, kMiB);
  EXPECT_EQ(plan.unsaved, int64_t{256} << 20);
  EXPECT_EQ(plan.clients.address, 64 * kMiB);
  EXPECT_EQ(plan.clients.connection, 32 * kMiB);
}

// Some hundreds, of whom one address may have three quarters; and all that may be asked for.
TEST(MemoryPlan, HasAsManyHttpConnectionsAsThereIsRoomFor) {
  EXPECT_GE(PlanMemory(0).https_connections, 128);
  EXPECT_LE(PlanMemory(150 * kMiB).https_connections * 116, 150 * 1024 / 4);
  EXPECT_GE(PlanMemory(150 * kMiB).http_connections, 1000);
  EXPECT_GE(PlanMemory(8192 * kMiB).https_connections, 10'000);
}

TEST(MemoryPlan, LeavesRoomForARequestHoweverLittleThereIs) {
  const MemoryPlan plan = PlanMemory(0);
  EXPECT_GE(plan.clients.connection, 4 * kMiB + kMiB / 2);
  EXPECT_GE(plan.unsaved, int64_t{4} << 20);
}

class MemoryOfSystemTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::string file = directory_.path() + path;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    WriteFile(file, text);
  }
  size_t Get() const { return MemoryOfSystem(directory_.path()); }

  TemporaryDirectory directory_;
};

TEST_F(MemoryOfSystemTest, IsHalfOfWhatIsAvailable) {
  Write("/proc/meminfo", "MemTotal: 900000 kB\nMemFree: 1 kB\nMemAvailable: 400000 kB\n");
  EXPECT_EQ(Get(), size_t{200'000} << 10);
}

TEST_F(MemoryOfSystemTest, IsMostOfWhatTheGroupMayHave) {
  Write("/proc/meminfo", "MemAvailable: 4000000 kB\n");
  Write("/proc/self/cgroup", "0::/outer/inner\n");
  Write("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
  Write("/sys/fs/cgroup/outer/memory.max", "209715200\n");
  EXPECT_EQ(Get(), 150 * kMiB);
}

// Of control groups of the first version, memory's has a hierarchy of its own.
TEST_F(MemoryOfSystemTest, IsMostOfWhatTheGroupOfTheFirstVersionMayHave) {
  Write("/proc/meminfo", "MemAvailable: 4000000 kB\n");
  Write("/proc/self/cgroup", "8:pids:/\n4:memory:/outer/inner\n1:name=systemd:/\n0::/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write("/sys/fs/cgroup/memory/outer/memory.limit_in_bytes", "209715200\n");
  Write("/sys/fs/cgroup/memory/outer/inner/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Get(), 150 * kMiB);
}

TEST_F(MemoryOfSystemTest, KnowsTheGroupOfAContainer) {
  Write("/proc/meminfo", "MemAvailable: 4000000 kB\n");
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "209715200\n");
  EXPECT_EQ(Get(), 150 * kMiB);
}

}  // namespace
}  // namespace jobtail
