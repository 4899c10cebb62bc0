// What the compiler inlines from the C library's headers, and what the library prints on its own
// account: seen with Options.replace_stdio.

#include <getopt.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/coverage/row.h"

#ifndef __OPTIMIZE__
#error "this is to be compiled with optimisation, or nothing is inlined"
#endif

namespace jobtail::capture {
namespace {

// Expects it of the row with streams that are replaced.
//
// `stdout` is a plain variable, so exchanging it while others print is a race as ThreadSanitizer
// sees it. There, a scope of its own keeps it exchanged for as long as the row lasts.
void ExpectCapturedWithReplacedStdio(Row row) {
  static std::promise<void> end;
  static std::thread keeper;
  row.options = {.replace_stdio = true};
  if (kThreadSanitizer) {
    row.before = [] {
      std::promise<void> began;
      keeper = std::thread([&began] {
        Recorder sink;
        const Scope scope(&sink, {.replace_stdio = true});
        began.set_value();
        end.get_future().wait();
      });
      began.get_future().wait();
    };
    row.after = [] {
      end.set_value();
      keeper.join();
    };
  }
  ExpectCaptured(row);
}

Way InlinedPutc() {
  return {[](const Tag& tag) {
            for (const char c : tag.line()) putchar_unlocked(c);
            for (const char c : tag.line()) putc_unlocked(c, stderr);
          },
          OnBoth};
}

Way Stdio() {
  return {[](const Tag& tag) {
            printf("%s\n", tag.c_str());
            fputs(tag.line().c_str(), stderr);
          },
          OnBoth};
}

TEST(InlinedStdio, PutcUnlockedWithReplacedStdio) {
  ExpectCapturedWithReplacedStdio(
      {.captured = InlinedPutc(), .uncaptured = Stdio(), .repetitions = 100});
}

// The thread that is not captured comes through the same streams, and its text out at the end of
// the real ones, unchanged.
TEST(InlinedStdio, PutcUnlockedOnBothSidesWithReplacedStdio) {
  ExpectCapturedWithReplacedStdio({.captured = InlinedPutc(), .repetitions = 100});
}

TEST(InlinedStdio, EverythingElseWithReplacedStdio) {
  ExpectCapturedWithReplacedStdio({.captured = Stdio()});
}

// A stream without a buffer has nothing that could be inlined.
TEST(InlinedStdio, PutcUnlockedOnStderrByDefault) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 for (const char c : tag.line()) putc_unlocked(c, stderr);
                               },
                               OnStderr}});
}

// getopt keeps its state in global variables, whatever prints.
std::mutex getopt_mutex;

TEST(InlinedStdio, GetoptWithReplacedStdio) {
  const Way way{
      [](const Tag& tag) {
        std::string name = tag.text;
        char option[] = "-x";
        char* arguments[] = {name.data(), option, nullptr};
        const std::lock_guard lock(getopt_mutex);
        optind = 0;
        Require(getopt(2, arguments, "a") == '?', "getopt does not know the option");
      },
      [](const Tag& tag) { return std::vector{Err(tag.text + ": invalid option -- 'x'")}; }};
  ExpectCapturedWithReplacedStdio({.captured = way});
}

// What the option is for: by default, these go to the real stdout's buffer.
TEST(InlinedStdio, PutcUnlockedIsNotSeenByDefault) {
  const Row row{.captured = {[](const Tag& tag) {
                  static std::mutex mutex;  // on the real stream, "unlocked" means the caller locks
                  const std::lock_guard lock(mutex);
                  for (const char c : tag.line()) putchar_unlocked(c);
                }}};
  const Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) ExpectSink(seen, t, {});
  EXPECT_NE(seen.out.find(Tag(0, row.repetitions - 1).line()), std::string::npos);
}

}  // namespace
}  // namespace jobtail::capture
