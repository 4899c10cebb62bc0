// The lines that every system under test has to carry, and their time stamps.
#ifndef JOBTAIL_BENCH_WORKLOAD_H_
#define JOBTAIL_BENCH_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace jobtail::bench {

// What every system under test is given to carry: the same code prints, whether it runs as a job of
// a server or as a program of its own.

// The monotonic clock, in nanoseconds. The same for all processes of a machine.
int64_t MonotonicNanos();

// Prints lines of `bytes` characters, not counting the newline, as fast as stdout takes them.
void PrintLines(int64_t lines, int64_t bytes);

// Prints lines as of a log, of some 90 characters, no two the same.
void PrintEntries(int64_t entries);

// A line of 80 characters that begins with the present time.
std::string StampedLine();

// The time that passed since the line was stamped, in nanoseconds; -1 if it is not a stamped line.
int64_t AgeNanos(std::string_view line);

// Calls `print` with a stamped line every `interval_micros`, `count` times.
void EachStamp(int64_t count, int64_t interval_micros,
               const std::function<void(const std::string& line)>& print);

// The same, to stdout, flushed after each line.
void PrintStamps(int64_t count, int64_t interval_micros);

// Waits until some process opens the fifo `path` for writing. "" is open already.
void WaitAtGate(const std::string& path);

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_WORKLOAD_H_
