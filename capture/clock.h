// The time that captured lines carry, and a cheaper look at it by the processor's tick counter.
#ifndef JOBTAIL_CAPTURE_CLOCK_H_
#define JOBTAIL_CAPTURE_CLOCK_H_

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace jobtail::capture::internal {

// The system's clock, in nanoseconds since 1970, as lines carry it.
int64_t NowUnixNanos();

// The same for one that asks very often, within a microsecond: between two looks at the system's
// clock, half a millisecond apart at most, it counts the processor's ticks. A look takes some 20 ns
// and makes the processor finish what it is doing; a count takes a third of that and does not.
// Never runs backwards, unless the system's clock is set back. Not thread-safe.
class TickClock {
 public:
  // Finds out whether the processor's ticks are regular and the same on all cores: the kernel keeps
  // its own time by them if so. Without this, and elsewhere, every call looks at the system's
  // clock.
  static void Prepare();

  int64_t NowUnixNanos() {
    const uint64_t ticks = Ticks() - base_ticks_;
    if (ticks >= kMaxTicks) [[unlikely]]
      return Look();
    const auto nanos =
        static_cast<int64_t>((ticks * nanos_per_tick_.load(std::memory_order_relaxed)) >> kShift);
    return Advance(base_nanos_ + nanos);
  }

 private:
  static constexpr uint64_t kMaxTicks = 1 << 20;
  static constexpr int kShift = 32;

  static uint64_t Ticks() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
  }

  // What the system's clock and the ticks were at one moment; not `exact` if something came
  // between.
  struct Both {
    int64_t nanos;
    uint64_t ticks;
    bool exact;
  };
  static Both LookAtBoth(int clock);
  int64_t Look();

  int64_t Advance(int64_t now) {
    if (now < last_ && last_ - now < 1'000'000) return last_;
    return last_ = now;
  }

  // Of the whole machine, times 2^kShift; 0 while it is not known.
  static constinit inline std::atomic<uint64_t> nanos_per_tick_ = 0;

  uint64_t base_ticks_ = uint64_t{1} << 63;  // far away from any: the first call looks
  int64_t base_nanos_ = 0;
  int64_t last_ = 0;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_CLOCK_H_
