// What every system under test is given to print.

#include "bench/workload.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace jobtail::bench {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr size_t kStampedLineBytes = 80;

void SleepUntil(int64_t nanos) {
  const timespec time{.tv_sec = nanos / kNanosPerSecond, .tv_nsec = nanos % kNanosPerSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

}  // namespace

int64_t MonotonicNanos() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

void PrintLines(int64_t lines, int64_t bytes) {
  const std::string line(static_cast<size_t>(bytes), 'x');
  for (int64_t i = 0; i < lines; ++i) puts(line.c_str());
}

// Digits that look random and are the same each time: a server's log compresses to a fourth, too.
void PrintEntries(int64_t entries) {
  constexpr const char* kLevels[] = {"INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"};
  uint64_t state = 1;
  for (int64_t i = 0; i < entries; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const auto random = static_cast<unsigned>(state >> 33);
    printf("2026-11-28T%02d:%02d:%02d.%06uZ %s worker-%u: request %lld of client %08x took %u us\n",
           static_cast<int>(i / 3'600'000 % 24), static_cast<int>(i / 60'000 % 60),
           static_cast<int>(i / 1000 % 60), random % 1'000'000, kLevels[random % 6], random % 31,
           static_cast<long long>(i), random, random % 100'000);
  }
}

std::string StampedLine() {
  std::string line = std::to_string(MonotonicNanos()) + " ";
  line.resize(kStampedLineBytes, '.');
  return line;
}

int64_t AgeNanos(std::string_view line) {
  const int64_t now = MonotonicNanos();
  int64_t stamp;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), stamp);
  const bool is_stamp = error == std::errc() && end != line.data() + line.size() && *end == ' ';
  return is_stamp ? now - stamp : -1;
}

void EachStamp(int64_t count, int64_t interval_micros,
               const std::function<void(const std::string& line)>& print) {
  int64_t next = MonotonicNanos();
  for (int64_t i = 0; i < count; ++i) {
    SleepUntil(next += interval_micros * 1000);
    print(StampedLine());
  }
}

void PrintStamps(int64_t count, int64_t interval_micros) {
  EachStamp(count, interval_micros, [](const std::string& line) {
    puts(line.c_str());
    fflush(stdout);
  });
}

void WaitAtGate(const std::string& path) {
  if (path.empty()) return;
  const int gate = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (gate < 0) {
    throw std::runtime_error("cannot open the gate " + path + ": " + std::strerror(errno));
  }
  close(gate);
}

}  // namespace jobtail::bench
