// A benchmark program's main. The report goes to what was standard output at the start; descriptor
// 1 itself is what is measured.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <ext/stdio_filebuf.h>
#include <iostream>
#include <semaphore>
#include <thread>

#include "bench/capture/bystander.h"
#include "bench/capture/print.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const int report = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  jobtail::bench::PrintToPipe();  // makes its reader, a fork, before there are many threads
  jobtail::bench::PrintToDevNull();
  std::binary_semaphore end(0);
  const std::jthread bystander([&] { jobtail::bench::StandBy(end); });

  __gnu_cxx::stdio_filebuf<char> buffer(report, std::ios::out);
  std::ostream out(&buffer);
  benchmark::ConsoleReporter reporter(benchmark::ConsoleReporter::OO_Tabular);
  reporter.SetOutputStream(&out);
  reporter.SetErrorStream(&std::cerr);
  const size_t ran = benchmark::RunSpecifiedBenchmarks(&reporter);
  end.release();
  return ran > 0 ? 0 : 1;
}
