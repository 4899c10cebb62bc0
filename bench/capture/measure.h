// The measure of capture benchmarks: lines a second, by all threads together.
#ifndef JOBTAIL_BENCH_CAPTURE_MEASURE_H_
#define JOBTAIL_BENCH_CAPTURE_MEASURE_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <mutex>

namespace jobtail::bench {

// How many lines a second all threads of a benchmark print together, from the moment when the last
// of them is there until the first one finds that all are done; reported as the counter
// "lines_per_second". Google Benchmark's own figure is the mean of what each thread measures by
// itself, which leaves out how long a thread waits for a core: with more threads than cores it
// promises more than the machine does.
class Race {
 public:
  static Race& Get() {
    static Race race;  // benchmarks run one after another
    return race;
  }

  void Arrive() {
    std::lock_guard lock(mutex_);
    begin_ = std::max(begin_, Clock::now());
  }

  // Called by a thread that knows that all threads have done their iterations.
  void Leave(benchmark::State& state) {
    std::lock_guard lock(mutex_);
    if (left_++ == 0) end_ = Clock::now();
    if (left_ < state.threads()) return;
    const std::chrono::duration<double> took = end_ - begin_;
    state.counters["lines_per_second"] =
        static_cast<double>(state.iterations()) * state.threads() / took.count();
    begin_ = {};
    left_ = 0;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  Clock::time_point begin_{};
  Clock::time_point end_{};
  int left_ = 0;
};

// The body of a benchmark that prints a line, with `print`, each time.
template <typename Print>
void PrintLines(benchmark::State& state, Print print) {
  Race::Get().Arrive();
  for (auto _ : state) print();  // begins and ends with a barrier for all threads
  Race::Get().Leave(state);
}

inline void OnThreads(benchmark::internal::Benchmark* benchmark) {
  benchmark->Threads(1)->Threads(2)->Threads(8)->UseRealTime();
}
inline void OnOneThread(benchmark::internal::Benchmark* benchmark) {
  benchmark->Threads(1)->UseRealTime();
}

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_CAPTURE_MEASURE_H_
