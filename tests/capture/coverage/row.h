// A row of the coverage table in docs/capture.md as a test.
#ifndef JOBTAIL_TESTS_CAPTURE_COVERAGE_ROW_H_
#define JOBTAIL_TESTS_CAPTURE_COVERAGE_ROW_H_

#include <functional>
#include <string>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

// A row of the table in docs/capture.md: one way to print, used by eight captured threads at once,
// each with a scope and a sink of its own, beside a thread that is not captured and prints all the
// while.
//
//   ExpectCaptured({.captured = {[](const Tag& tag) { puts(tag.c_str()); }}});

namespace jobtail::capture {

inline constexpr int kThreads = 8;
inline constexpr int kUncaptured = kThreads;  // the number of the thread that is not captured

// What a repetition prints, so that it can be told whose it is: "3:17" is the 17th of thread 3.
struct Tag {
  Tag(int of_thread, int of_repetition)
      : thread(of_thread),
        repetition(of_repetition),
        text(std::to_string(thread) + ":" + std::to_string(repetition)) {}

  const char* c_str() const { return text.c_str(); }
  std::string line() const { return text + "\n"; }
  std::wstring wide() const { return {text.begin(), text.end()}; }

  int thread;
  int repetition;
  std::string text;
};

// ThreadSanitizer does not know everything that a program may do.
#ifdef __SANITIZE_THREAD__
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

#define SKIP_PRIVATE_DESCRIPTORS_UNDER_THREAD_SANITIZER() \
  if (kThreadSanitizer)                                   \
  GTEST_SKIP() << "ThreadSanitizer takes descriptors of one number in different tables for one"

// The threads of capture go on while a child is forked, and GCC's sanitizers have no handlers for
// that.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
inline constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
inline constexpr bool kAddressSanitizer = false;
#endif

#define SKIP_FORKED_CHILDREN_UNDER_SANITIZERS() \
  if (kAddressSanitizer || kThreadSanitizer)    \
  GTEST_SKIP() << "its heap may be locked in the forked child, which waits for that for ever"

using Lines = std::function<std::vector<Record>(const Tag& tag)>;

std::vector<Record> OnStdout(const Tag& tag);  // the tag, as a line
std::vector<Record> OnStderr(const Tag& tag);  // the same, on stderr
std::vector<Record> OnBoth(const Tag& tag);    // on stdout, then on stderr
std::vector<Record> TwiceOnStdout(const Tag& tag);

// What is promised of the order of a thread's lines.
enum class Order {
  kExact,      // as written, over both streams
  kPerStream,  // as written, on each stream
  kAny,        // none: each line comes once
};

// A way to print: prints one repetition, and what that is in lines.
struct Way {
  std::function<void(const Tag& tag)> print;
  Lines lines = OnStdout;
  Order order = Order::kExact;
};

// The way for a thread that is to disturb others, with write(2).
Way Plainly();

struct Row {
  Way captured;
  // Used once for each repetition of any captured thread.
  Way uncaptured = captured;
  int repetitions = 300;
  Options options = {};

  // Before any thread starts, and after all have ended.
  std::function<void()> before = [] {};
  std::function<void()> after = [] {};
  // On each captured thread, in its scope, before its first repetition and after its last.
  std::function<void(int thread)> begin = [](int) {};
  std::function<void(int thread)> end = [](int) {};
  // On each captured thread, when its scope has ended.
  std::function<void(int thread, Recorder& sink)> leave = [](int, Recorder&) {};
};

// Runs the row in a process of its own and returns what came, thread by thread.
Observation RunRow(const Row& row);

// Runs the row, and expects of each sink exactly the lines of its thread, whole and in order, and
// of the real descriptors exactly those of the thread that is not captured.
void ExpectCaptured(const Row& row);

// The parts of ExpectCaptured, for rows that have more to say.
void ExpectSink(const Observation& seen, int thread, const std::vector<Record>& expected,
                Order order = Order::kExact);
void ExpectReal(const Observation& seen, const Row& row);
std::vector<Record> LinesOf(const Way& way, int thread, int repetitions);

// For rows that print to files: where a thread's own file is to be, in a folder that goes with the
// row; and what it holds.
std::string TemporaryPath(int thread);
std::string ReadFile(const std::string& path);

}  // namespace jobtail::capture

#endif  // JOBTAIL_TESTS_CAPTURE_COVERAGE_ROW_H_
