// The time of lines, counted between two looks at the system's clock.

#include "capture/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

// How far apart the two looks are that tell how long a tick is.
constexpr int64_t kCalibrationNanos = 50'000;

// A look that took longer than this, a microsecond or less, was interrupted.
constexpr uint64_t kMaxLookTicks = 1'000;

int64_t Read(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

// Whether the kernel keeps its time by the ticks that this class counts.
bool KernelTrustsTicks() {
#if defined(__x86_64__)
  const int file = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                        O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char name[16] = {};
  const ssize_t size = read(file, name, sizeof name);
  close(file);
  return size > 0 && std::string_view(name, static_cast<size_t>(size)) == "tsc\n";
#else
  return false;
#endif
}

}  // namespace

int64_t NowUnixNanos() { return Read(CLOCK_REALTIME); }

void TickClock::Prepare() {
  if (!KernelTrustsTicks()) return;
  // Interrupted looks are repeated, but not for ever: without an answer there are no ticks.
  for (int attempt = 0; attempt < 10; ++attempt) {
    const Both first = LookAtBoth(CLOCK_MONOTONIC);
    Both second;
    do {
      second = LookAtBoth(CLOCK_MONOTONIC);
    } while (second.nanos - first.nanos < kCalibrationNanos);
    if (!first.exact || !second.exact || second.ticks <= first.ticks) continue;
    const auto nanos = static_cast<uint64_t>(second.nanos - first.nanos);
    nanos_per_tick_.store((nanos << kShift) / (second.ticks - first.ticks));
    return;
  }
}

TickClock::Both TickClock::LookAtBoth(int clock) {
  const uint64_t before = Ticks();
  const int64_t nanos = Read(clock);
  const uint64_t after = Ticks();
  return {nanos, before + (after - before) / 2, after - before < kMaxLookTicks};
}

int64_t TickClock::Look() {
  const Both now = LookAtBoth(CLOCK_REALTIME);
  if (now.exact && nanos_per_tick_.load(std::memory_order_relaxed) != 0) {
    base_ticks_ = now.ticks;
    base_nanos_ = now.nanos;
  }
  return Advance(now.nanos);
}

}  // namespace jobtail::capture::internal
