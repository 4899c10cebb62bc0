// What it costs a thread to print a line of 80 bytes into a sink that copies it, beside the floor
// below which no capture can go.

#include <benchmark/benchmark.h>
#include <time.h>

#include <array>
#include <cstring>

#include "bench/capture/bystander.h"
#include "bench/capture/measure.h"
#include "bench/capture/print.h"
#include "capture/scope.h"

namespace jobtail::bench {
namespace {

using capture::Line;
using capture::Scope;
using capture::Sink;

// Where copies go: 32 KiB that are written over and over, so that they stay in the cache.
class Ring {
 public:
  void Copy(std::string_view bytes) {
    memcpy(space_.data() + at_, bytes.data(), bytes.size());
    at_ = (at_ + 128) % kBytes;
    benchmark::ClobberMemory();
  }

 private:
  static constexpr size_t kBytes = 32 << 10;
  std::array<char, kBytes + capture::kMaxLineBytes> space_;
  size_t at_ = 0;
};

// Copies each line's text and keeps nothing.
class CopyingSink : public Sink {
 public:
  void Write(std::span<const Line> lines) noexcept override {
    for (const Line& line : lines) {
      ring_.Copy(line.text);
      benchmark::DoNotOptimize(line.time_unix_nanos);
    }
  }
  bool TryWrite(std::span<const Line> lines) noexcept override {
    Write(lines);
    return true;
  }

 private:
  Ring ring_;
};

// The floor: a line is copied once, 80 bytes with memcpy, and dated once, with
// clock_gettime(CLOCK_REALTIME).
void Floor(benchmark::State& state) {
  Ring ring;
  PrintLines(state, [&] {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    benchmark::DoNotOptimize(now);
    std::string_view line = kLine;
    benchmark::DoNotOptimize(line);  // its length is not known beforehand, either
    ring.Copy(line);
  });
}

// A sink for each thread: runs have nothing to do with one another.
template <void (*Print)()>
void Captured(benchmark::State& state) {
  CopyingSink sink;
  const Scope scope(&sink);
  PrintLines(state, Print);
}

BENCHMARK(Floor)->Name("floor")->Apply(OnThreads);
BENCHMARK(Captured<Cout>)->Name("captured/cout")->Apply(OnThreads);
BENCHMARK(Captured<Printf>)->Name("captured/printf")->Apply(OnThreads);
BENCHMARK(Captured<Fwrite>)->Name("captured/fwrite")->Apply(OnThreads);
BENCHMARK(Captured<Write>)->Name("captured/write")->Apply(OnThreads);
BENCHMARK(Captured<LongPrintf>)->Name("captured/long_printf")->Apply(OnOneThread);
BENCHMARK(Captured<LongWrite>)->Name("captured/long_write")->Apply(OnOneThread);

}  // namespace

void StandBy(std::binary_semaphore& end) {
  CopyingSink sink;
  const Scope scope(&sink);
  end.acquire();
}

}  // namespace jobtail::bench
