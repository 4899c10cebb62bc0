// What threads have asked the kernel for, as it tells.
#include "base/thread_slice.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <thread>

#include "tests/support/thread_slice_probe.h"

namespace jobtail {
namespace {

using testing::SchedulingOf;
using testing::ThreadScheduling;

// Where slices are unknown, both are 0.
uint64_t LongOf(const ThreadScheduling& usual) { return usual.slice_nanos + usual.slice_nanos / 2; }

TEST(ThreadSlice, IsHalfAsLongAgain) {
  std::thread([] {
    const ThreadScheduling usual = SchedulingOf();
    TakeLongSlices();
    EXPECT_EQ(SchedulingOf().slice_nanos, LongOf(usual));
    TakeLongSlices();
    EXPECT_EQ(SchedulingOf().slice_nanos, LongOf(usual)) << "and no longer";
    TakeUsualSlices();
    EXPECT_EQ(SchedulingOf(), usual);
  }).join();
}

TEST(ThreadSlice, IsHandedOnAndGivenUp) {
  const ThreadScheduling usual = SchedulingOf();
  std::thread([&] {
    TakeLongSlices();
    std::thread([&] {
      EXPECT_EQ(SchedulingOf().slice_nanos, LongOf(usual));
      TakeUsualSlices();
      EXPECT_EQ(SchedulingOf(), usual);
    }).join();
    EXPECT_EQ(SchedulingOf().slice_nanos, LongOf(usual)) << "is the thread's own";
  }).join();
}

TEST(ThreadSlice, ChangesNothingElseOfTheThread) {
  std::thread([] {
    const int nice = SchedulingOf().nice + 1;
    ASSERT_EQ(setpriority(PRIO_PROCESS, 0, nice), 0);
    const ThreadScheduling before = SchedulingOf();
    TakeLongSlices();
    EXPECT_EQ(SchedulingOf().nice, nice);
    TakeUsualSlices();
    EXPECT_EQ(SchedulingOf(), before);
  }).join();
}

TEST(ThreadSlice, OfOnesOwnIsKept) {
  std::thread(TakeLongSlices).join();
  std::thread([] {
    const ThreadScheduling usual = SchedulingOf();
    if (usual.slice_nanos == 0) return;  // there is no such thing here
    const uint64_t own = usual.slice_nanos + usual.slice_nanos / 4;
    std::array<char, 48> attributes{};
    const uint32_t size = attributes.size();
    memcpy(attributes.data(), &size, sizeof size);
    memcpy(attributes.data() + 16, &usual.nice, sizeof usual.nice);
    memcpy(attributes.data() + 24, &own, sizeof own);
    ASSERT_EQ(syscall(SYS_sched_setattr, 0, attributes.data(), 0), 0);
    TakeUsualSlices();
    EXPECT_EQ(SchedulingOf().slice_nanos, own);
  }).join();
}

}  // namespace
}  // namespace jobtail
