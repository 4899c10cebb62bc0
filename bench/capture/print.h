// The line that capture benchmarks print, the ways to print it, and where it goes.
#ifndef JOBTAIL_BENCH_CAPTURE_PRINT_H_
#define JOBTAIL_BENCH_CAPTURE_PRINT_H_

#include <string_view>

// What the capture benchmarks have in common: the line, the ways to print it and where to.

namespace jobtail::bench {

// 80 bytes, the newline included.
inline constexpr std::string_view kLine =
    "2026-01-31 12:34:56.789 worker 3: copied part 0001234 of 00056789 to the store.\n";
static_assert(kLine.size() == 80);

// Print it once.
void Cout();    // std::cout << text << std::endl
void Printf();  // printf("%s\n", text)
void Fwrite();  // fwrite(line, 1, 80, stdout)
void Write();   // write(1, line, 80)

// One line of 64 MiB.
void LongPrintf();
void LongWrite();

// Redirects descriptor 1, to /dev/null or to a pipe that another process drains. What stdout holds
// is written to where it was meant for. Not thread-safe.
void PrintToDevNull();
void PrintToPipe();

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_CAPTURE_PRINT_H_
