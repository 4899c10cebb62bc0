// OpenMP's threads, which a captured thread starts and keeps.

#include <gtest/gtest.h>
#include <omp.h>
#include <stdio.h>

#include <algorithm>
#include <string>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

constexpr int kIterations = 16;

Way ParallelFor() {
  return {[](const Tag& tag) {
#pragma omp parallel for num_threads(4) schedule(static, 1)
            for (int i = 0; i < kIterations; ++i) {
              printf("%s part %d\n", tag.c_str(), i);
            }
            printf("%s done\n", tag.c_str());
          },
          [](const Tag& tag) {
            std::vector<Record> lines;
            for (int i = 0; i < kIterations; ++i) {
              lines.push_back(Out(tag.text + " part " + std::to_string(i)));
            }
            lines.push_back(Out(tag.text + " done"));
            return lines;
          },
          Order::kAny};
}

TEST(OpenMp, ParallelFor) { ExpectCaptured({.captured = ParallelFor(), .repetitions = 100}); }

// What each thread of a region prints, by each call of the runtime's that begins one.
void PrintInRegions() {
#pragma omp parallel num_threads(4)
  puts("region");
#pragma omp parallel for num_threads(4) schedule(dynamic)
  for (int i = 0; i < 4; ++i) puts("dynamic");
#pragma omp parallel for num_threads(4) schedule(guided)
  for (int i = 0; i < 4; ++i) puts("guided");
#pragma omp parallel for num_threads(4) schedule(runtime)
  for (int i = 0; i < 4; ++i) puts("runtime");
#pragma omp parallel for num_threads(4) schedule(monotonic : dynamic)
  for (int i = 0; i < 4; ++i) puts("monotonic");
#pragma omp parallel sections num_threads(4)
  {
#pragma omp section
    puts("section");
#pragma omp section
    puts("section");
  }
  int sum = 0;
#pragma omp parallel for num_threads(4) reduction(+ : sum)
  for (int i = 0; i < 4; ++i) {
    puts("reduction");
    sum += i;
  }
  Require(sum == 6, "the sum is right");
#pragma omp parallel num_threads(4)
#pragma omp single
  for (int i = 0; i < 4; ++i) {
#pragma omp task
    puts("task");
  }
}

constexpr size_t kInRegions = 7 * 4 + 2;

// The runtime keeps its threads: those of an earlier scope, or of none.
TEST(OpenMp, ThreadsThatWereThereBefore) {
  const Observation seen = ObserveSinks(3, [](auto& sinks) {
    PrintInRegions();
    for (Recorder& sink : sinks) {
      const Scope scope(&sink);
      PrintInRegions();
    }
    PrintInRegions();
  });
  for (const auto& sink : seen.sinks) EXPECT_EQ(sink.size(), kInRegions);
  EXPECT_EQ(std::ranges::count(seen.out, '\n'), 2 * kInRegions);
}

// In a process of its own, as all these: one that has had OpenMP's threads and forks leaves them
// behind, and its child waits for them for ever in its first region.
TEST(OpenMp, SeveralThreadsAreAtWork) {
  ObserveSinks(0, [](auto&) {
    int threads = 0;
#pragma omp parallel num_threads(4)
#pragma omp single
    threads = omp_get_num_threads();
    Require(threads == 4, "there are four");
  });
}

}  // namespace
}  // namespace jobtail::capture
