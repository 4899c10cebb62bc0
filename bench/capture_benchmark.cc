// What it costs a thread to print a line of 80 bytes: captured, and not captured to /dev/null,
// beside the floor that no capture can go below, a copy of the line and a look at the clock.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include "capture/scope.h"

namespace {

using jobtail::capture::Line;
using jobtail::capture::Scope;
using jobtail::capture::Sink;

const std::string& Text() {
  static const auto* const text = new std::string(79, 'x');
  return *text;
}

const std::string& WholeLine() {
  static const auto* const line = new std::string(Text() + "\n");
  return *line;
}

void Cout() { std::cout << Text() << std::endl; }
void Printf() { printf("%s\n", Text().c_str()); }
void Fwrite() { fwrite(WholeLine().data(), 1, WholeLine().size(), stdout); }
void Write() { benchmark::DoNotOptimize(write(1, WholeLine().data(), WholeLine().size())); }

class CountingSink : public Sink {
 public:
  void Write(std::span<const Line> lines) noexcept override { count_ += lines.size(); }

 private:
  size_t count_ = 0;
};

void Floor(benchmark::State& state) {
  std::array<char, 1 << 15> space;
  size_t at = 0;
  for (auto _ : state) {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(space.data() + at, WholeLine().data(), WholeLine().size());
    at = (at + 128) % (space.size() / 2);
    benchmark::DoNotOptimize(now);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Floor)->ThreadRange(1, 8);

template <void (*Print)()>
void Captured(benchmark::State& state) {
  CountingSink sink;  // one for each thread: runs have nothing to do with one another
  const Scope scope(&sink);
  for (auto _ : state) Print();
  state.SetItemsProcessed(state.iterations());
}

template <void (*Print)()>
void Uncaptured(benchmark::State& state) {
  for (auto _ : state) Print();
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(Captured<Cout>)->ThreadRange(1, 8);
BENCHMARK(Captured<Printf>)->ThreadRange(1, 8);
BENCHMARK(Captured<Fwrite>)->ThreadRange(1, 8);
BENCHMARK(Captured<Write>)->ThreadRange(1, 8);
BENCHMARK(Uncaptured<Cout>);
BENCHMARK(Uncaptured<Printf>);
BENCHMARK(Uncaptured<Fwrite>);
BENCHMARK(Uncaptured<Write>);

}  // namespace

// The table goes to stderr: stdout is what is measured, and goes to /dev/null.
int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
  benchmark::ConsoleReporter reporter(benchmark::ConsoleReporter::OO_Tabular);
  reporter.SetOutputStream(&std::cerr);
  reporter.SetErrorStream(&std::cerr);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}
