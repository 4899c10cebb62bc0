// The size of the data directory, on a disk that answers and on one that hangs.

#include "server/metrics/store_size.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <optional>

#include "absl/synchronization/notification.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using testing::Eventually;

TEST(StoreSizeTest, IsThatOfAllFiles) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.path() + "/one") << std::string(1000, 'x');
  std::ofstream(directory.path() + "/two") << std::string(234, 'x');
  EXPECT_EQ(DirectorySize(directory.path()), 1234);
  EXPECT_EQ(DirectorySize(directory.path() + "/none"), 0);
}

TEST(StoreSizeTest, IsMeasuredAtOnceAndThenEverySoOften) {
  FakeClock clock;
  const auto measured = std::make_shared<std::atomic<int64_t>>(0);  // the last may come late
  {
    const StoreSize size([measured](const std::stop_token&) { return ++*measured; }, &clock);
    EXPECT_TRUE(Eventually([&] { return size.bytes() == 1; }));
    clock.Advance(StoreSize::kInterval - absl::Milliseconds(1));
    clock.SetForward(absl::Hours(1));
    EXPECT_EQ(size.bytes(), 1);
    EXPECT_TRUE(Eventually([&] {
      clock.Advance(StoreSize::kInterval);
      return size.bytes() >= 3;
    }));
  }
}

TEST(StoreSizeTest, OnADiskThatHangsIsNotKnownAndKeepsNobodyWaiting) {
  struct Disk {
    absl::Notification asked;
    absl::Notification answers;
    absl::Notification done;
  };
  const auto disk = std::make_shared<Disk>();
  std::optional<FakeClock> clock(std::in_place);
  std::optional<StoreSize> size(
      std::in_place,
      [disk](const std::stop_token& stop) -> int64_t {
        disk->asked.Notify();
        disk->answers.WaitForNotification();
        EXPECT_TRUE(stop.stop_requested());
        disk->done.Notify();
        return 1;
      },
      &*clock);
  disk->asked.WaitForNotification();
  EXPECT_EQ(size->bytes(), std::nullopt);
  size.reset();
  clock.reset();
  disk->answers.Notify();
  disk->done.WaitForNotification();
}

}  // namespace
}  // namespace jobtail
