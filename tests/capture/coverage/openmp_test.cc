// OpenMP's threads, which a captured thread starts and keeps.

#include <gtest/gtest.h>
#include <omp.h>
#include <stdio.h>

#include <iostream>
#include <string>
#include <vector>

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

TEST(OpenMp, SeveralThreadsAreAtWork) {
  int threads = 0;
#pragma omp parallel num_threads(4)
#pragma omp single
  threads = omp_get_num_threads();
  EXPECT_EQ(threads, 4);
}

}  // namespace
}  // namespace jobtail::capture
