// oneTBB, and the parallel algorithms of the standard library, which use it.

#include "capture/tbb.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <stdio.h>

#include <algorithm>
#include <execution>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

constexpr int kItems = 32;

void PrintItem(const Tag& tag, int i) { printf("%s item %d\n", tag.c_str(), i); }

// Each item, in any order; then a line of the thread's own.
std::vector<Record> Items(const Tag& tag) {
  std::vector<Record> lines;
  for (int i = 0; i < kItems; ++i) lines.push_back(Out(tag.text + " item " + std::to_string(i)));
  return lines;
}

// More workers than this machine may have processors.
Row WithWorkers(Way way) {
  static std::unique_ptr<oneapi::tbb::global_control> control;
  return {.captured = std::move(way),
          .uncaptured = Plainly(),
          .repetitions = 50,
          .before =
              [] {
                control = std::make_unique<oneapi::tbb::global_control>(
                    oneapi::tbb::global_control::max_allowed_parallelism, 8);
              },
          .after = [] { control.reset(); }};
}

TEST(Tbb, ParallelForWithObserver) {
  ExpectCaptured(WithWorkers({[](const Tag& tag) {
                                const TbbObserver observer;
                                oneapi::tbb::parallel_for(0, kItems,
                                                          [&](int i) { PrintItem(tag, i); });
                              },
                              Items, Order::kAny}));
}

// Around the whole of a thread's work, as a job does it.
TEST(Tbb, ObserverForAsLongAsTheRun) {
  static thread_local std::unique_ptr<TbbObserver> observer;
  Row row = WithWorkers({[](const Tag& tag) {
                           oneapi::tbb::parallel_for(0, kItems, [&](int i) { PrintItem(tag, i); });
                         },
                         Items, Order::kAny});
  row.begin = [](int) { observer = std::make_unique<TbbObserver>(); };
  row.end = [](int) { observer.reset(); };
  ExpectCaptured(row);
}

TEST(Tbb, ParallelAlgorithmsWithObserver) {
  ExpectCaptured(WithWorkers({[](const Tag& tag) {
                                const TbbObserver observer;
                                std::vector<int> items(kItems);
                                std::iota(items.begin(), items.end(), 0);
                                std::for_each(std::execution::par, items.begin(), items.end(),
                                              [&](int i) { PrintItem(tag, i); });
                              },
                              Items, Order::kAny}));
}

}  // namespace
}  // namespace jobtail::capture
