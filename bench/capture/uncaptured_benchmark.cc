// What it costs to print a line of 80 bytes without capture. The same source makes part of two
// programs: in one it is all there is, in the other the capture library is linked as well, and a
// scope is open on another thread. The difference is what capture costs those it does not concern.

#include <benchmark/benchmark.h>

#include <string>

#include "bench/capture/measure.h"
#include "bench/capture/print.h"

namespace jobtail::bench {
namespace {

template <void (*Print)()>
void Uncaptured(benchmark::State& state) {
  PrintLines(state, Print);
}

void ToDevNull(const benchmark::State&) { PrintToDevNull(); }
void ToPipe(const benchmark::State&) { PrintToPipe(); }

void Register(const std::string& way, void (*body)(benchmark::State&)) {
  const auto add = [&](const std::string& target, void (*setup)(const benchmark::State&)) {
    benchmark::RegisterBenchmark(("uncaptured/" + target + "/" + way).c_str(), body)
        ->Apply(OnThreads)
        ->Setup(setup);
  };
  add("devnull", ToDevNull);
  add("pipe", ToPipe);
}

[[maybe_unused]] const bool kRegistered = [] {
  Register("cout", Uncaptured<Cout>);
  Register("printf", Uncaptured<Printf>);
  Register("fwrite", Uncaptured<Fwrite>);
  Register("write", Uncaptured<Write>);
  benchmark::RegisterBenchmark("uncaptured/pipe/long_write", Uncaptured<LongWrite>)
      ->Apply(OnOneThread)
      ->Setup(ToPipe);
  return true;
}();

}  // namespace
}  // namespace jobtail::bench
