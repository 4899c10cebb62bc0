// LLVM's OpenMP: regions with any number of shared variables, as clang has them begin.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the runtime's.
void __kmpc_fork_call(void* place, int count, void (*body)(int*, int*, ...), ...);
// NOLINTEND(bugprone-reserved-identifier)
}

namespace jobtail::capture {
namespace {

constexpr int kThreads = 4;

// A place in a program's text, as the runtime wants it.
struct Place {
  int reserved = 0;
  int flags = 2;
  int more[2] = {};
  const char* text = ";file;function;1;1;;";
};

void* Runtime() {
  static void* const runtime = dlopen("libomp.so.5", RTLD_LAZY | RTLD_GLOBAL);
  return runtime;
}

template <typename Function>
Function* OfRuntime(const char* name) {
  return reinterpret_cast<Function*>(dlsym(Runtime(), name));
}

template <size_t>
using Variable = int*;

// What clang makes of a region: a function of as many pointers as there are variables.
template <size_t... kIndices>
void Body(int*, int*, Variable<kIndices>... variables) {
  const std::array<int*, sizeof...(kIndices)> all{variables...};
  long sum = 0;
  for (const int* variable : all) sum += *variable;
  printf("%zu variables, %ld\n", all.size(), sum);
}

// A region of `kThreads` threads, with variables of the values 0, 1, 2, ...
template <size_t... kIndices>
void BeginRegion(std::index_sequence<kIndices...>) {
  static Place place;
  std::array<int, sizeof...(kIndices) + 1> values;
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i);
  const int self = OfRuntime<int(void*)>("__kmpc_global_thread_num")(&place);
  OfRuntime<void(void*, int, int)>("__kmpc_push_num_threads")(&place, self, kThreads);
  __kmpc_fork_call(&place, sizeof...(kIndices),
                   reinterpret_cast<void (*)(int*, int*, ...)>(&Body<kIndices...>),
                   &values[kIndices]...);
}

template <size_t... kCounts>
struct Regions {
  static void Begin() { (BeginRegion(std::make_index_sequence<kCounts>()), ...); }

  static std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    for (const size_t count : {kCounts...}) {
      const size_t sum = count * (count > 0 ? count - 1 : 0) / 2;
      const std::string line = std::to_string(count) + " variables, " + std::to_string(sum);
      lines.insert(lines.end(), kThreads, line);
    }
    return lines;
  }
};
// The largest first: a thread stays with the scope of its last region until it works for another
// one.
using SomeRegions = Regions<512, 511, 129, 128, 100, 33, 32, 31, 9, 8, 7, 1, 0>;

TEST(LlvmOpenMp, RegionsOfAnyNumberOfVariables) {
  if (!Runtime()) GTEST_SKIP() << "needs libomp.so.5";
  const Observation seen = ObserveSinks(2, [](auto& sinks) {
    SomeRegions::Begin();
    for (Recorder& sink : sinks) {
      const Scope scope(&sink);
      SomeRegions::Begin();
    }
    SomeRegions::Begin();
  });
  for (const auto& sink : seen.sinks) {
    std::vector<std::string> lines;
    for (const Record& record : sink) lines.push_back(record.text);
    EXPECT_EQ(lines, SomeRegions::Lines());
  }
  EXPECT_EQ(std::ranges::count(seen.out, '\n'), 2 * SomeRegions::Lines().size());
}

}  // namespace
}  // namespace jobtail::capture
