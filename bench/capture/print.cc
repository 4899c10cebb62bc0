// The ways to print that are measured.

#include "bench/capture/print.h"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace jobtail::bench {
namespace {

const std::string& Text() {
  static const auto* const text = new std::string(kLine.substr(0, kLine.size() - 1));
  return *text;
}

const std::string& LongLine() {
  static const auto* const line = new std::string(std::string(64 << 20, 'x') + "\n");
  return *line;
}

[[noreturn]] void Fail(const char* what) {
  perror(what);
  exit(1);
}

// Reads until all writers are gone.
[[noreturn]] void Drain(int fd) {
  std::array<char, 1 << 16> space;
  while (read(fd, space.data(), space.size()) > 0) continue;
  _exit(0);
}

// The end to write to.
int OpenDrainedPipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t reader = fork();
  if (reader < 0) Fail("fork");
  if (reader == 0) {
    close(ends[1]);
    Drain(ends[0]);
  }
  close(ends[0]);
  return ends[1];
}

void Redirect(int to) {
  fflush(stdout);
  if (dup2(to, STDOUT_FILENO) < 0) Fail("dup2");
}

}  // namespace

void Cout() { std::cout << Text() << std::endl; }
void Printf() { printf("%s\n", Text().c_str()); }
void Fwrite() { benchmark::DoNotOptimize(fwrite(kLine.data(), 1, kLine.size(), stdout)); }
void Write() { benchmark::DoNotOptimize(write(STDOUT_FILENO, kLine.data(), kLine.size())); }

void LongPrintf() { printf("%s", LongLine().c_str()); }
void LongWrite() {
  std::string_view rest = LongLine();
  while (!rest.empty()) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0) Fail("write");
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

void PrintToDevNull() {
  static const int dev_null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (dev_null < 0) Fail("/dev/null");
  Redirect(dev_null);
}

void PrintToPipe() {
  static const int drained = OpenDrainedPipe();
  Redirect(drained);
}

}  // namespace jobtail::bench
