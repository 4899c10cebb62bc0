// The run of one way to print on captured and other threads, and the comparison of what came.

#include "tests/capture/coverage/row.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <latch>
#include <sstream>
#include <string_view>
#include <thread>
#include <tuple>

namespace jobtail::capture {
namespace {

// What the threads of a row know of each other. The thread that is not captured keeps pace with the
// others, some repetitions at a time: to wake it for each would be most of what a row does.
struct Course {
  static constexpr int kStride = 20;

  std::latch all_there{kThreads + 1};
  std::atomic<int> repetitions = 0;  // of all captured threads

  void Advance() {
    if (++repetitions % kStride == 0) repetitions.notify_one();
  }
  // Before the repetition `index` of `count`.
  void KeepPace(int index, int count) {
    if (index % kStride != 0 || index + kStride > count) return;
    int now;
    while ((now = repetitions.load()) < index + kStride) repetitions.wait(now);
  }
};

void RunCaptured(const Row& row, int thread, Recorder& sink, Course& course) {
  {
    Scope scope(&sink, row.options);
    row.begin(thread);
    course.all_there.arrive_and_wait();
    for (int i = 0; i < row.repetitions; ++i) {
      row.captured.print(Tag(thread, i));
      course.Advance();
    }
    row.end(thread);
  }
  row.leave(thread, sink);
}

void RunUncaptured(const Row& row, Course& course) {
  course.all_there.arrive_and_wait();
  const int count = kThreads * row.repetitions;
  for (int i = 0; i < count; ++i) {
    course.KeepPace(i, count);
    row.uncaptured.print(Tag(kUncaptured, i));
  }
}

void RunThreads(const Row& row, std::deque<Recorder>& sinks) {
  row.before();
  Course course;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] { RunCaptured(row, t, sinks.at(t), course); });
  }
  threads.emplace_back([&] { RunUncaptured(row, course); });
  for (std::thread& thread : threads) thread.join();
  row.after();
}

void Arrange(std::vector<Record>& records, Order order) {
  switch (order) {
    case Order::kExact:
      return;
    case Order::kPerStream:
      std::ranges::stable_sort(records, {}, &Record::stream);
      return;
    case Order::kAny:
      std::ranges::sort(records, {}, [](const Record& r) {
        return std::tuple(r.stream, r.ending, std::string_view(r.text));
      });
      return;
  }
}

std::string Describe(const std::vector<Record>& records, size_t index) {
  if (index >= records.size()) return "nothing";
  std::ostringstream text;
  text << records[index];
  return text.str().substr(0, text.str().find('\n'));  // GoogleTest shows some text twice
}

// In words, where the two differ first. Empty if they do not.
std::string Difference(std::vector<Record> expected, std::vector<Record> seen, Order order) {
  Arrange(expected, order);
  Arrange(seen, order);
  const auto [e, s] = std::ranges::mismatch(expected, seen);
  if (e == expected.end() && s == seen.end()) return "";
  const auto index = static_cast<size_t>(e - expected.begin());
  return "of " + std::to_string(expected.size()) + " lines, where " + std::to_string(seen.size()) +
         " came, number " + std::to_string(index) + " is to be " + Describe(expected, index) +
         " and is " + Describe(seen, index);
}

// What came out of a descriptor, line by line.
std::vector<Record> Split(std::string_view bytes, Stream stream) {
  std::vector<Record> lines;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    const std::string_view text = bytes.substr(0, end);
    lines.push_back({stream, whole ? Ending::kLf : Ending::kNone, std::string(text)});
    bytes.remove_prefix(whole ? end + 1 : bytes.size());
  }
  return lines;
}

// Made and removed by the process that runs the tests, however the one that runs the row ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    path = ::testing::TempDir() + "jobtail-coverage-XXXXXX";
    Require(mkdtemp(path.data()) != nullptr, "a temporary folder can be made");
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }

  static std::string path;  // of the row that runs
};
std::string TemporaryFolder::path;

}  // namespace

std::vector<Record> OnStdout(const Tag& tag) { return {Out(tag.text)}; }
std::vector<Record> OnStderr(const Tag& tag) { return {Err(tag.text)}; }
std::vector<Record> OnBoth(const Tag& tag) { return {Out(tag.text), Err(tag.text)}; }
std::vector<Record> TwiceOnStdout(const Tag& tag) { return {Out(tag.text), Out(tag.text)}; }

Way Plainly() {
  return {[](const Tag& tag) {
            const std::string line = tag.line();
            for (const int fd : {1, 2}) {
              Require(write(fd, line.data(), line.size()) == ssize_t(line.size()), "write");
            }
          },
          OnBoth};
}

Observation RunRow(const Row& row) {
  const TemporaryFolder folder;
  return ObserveSinks(kThreads, [&row](std::deque<Recorder>& sinks) { RunThreads(row, sinks); });
}

void ExpectCaptured(const Row& row) {
  const Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) {
    ExpectSink(seen, t, LinesOf(row.captured, t, row.repetitions), row.captured.order);
  }
  ExpectReal(seen, row);
}

void ExpectSink(const Observation& seen, int thread, const std::vector<Record>& expected,
                Order order) {
  const std::string difference = Difference(expected, seen.sinks.at(thread), order);
  EXPECT_TRUE(difference.empty()) << "in sink " << thread << ", " << difference;
}

void ExpectReal(const Observation& seen, const Row& row) {
  const std::vector<Record> expected =
      LinesOf(row.uncaptured, kUncaptured, kThreads * row.repetitions);
  const Order order = row.uncaptured.order;
  for (const auto& [stream, bytes] :
       {std::pair(Stream::kStdout, &seen.out), std::pair(Stream::kStderr, &seen.err)}) {
    const std::string difference =
        Difference(Split(Join(expected, stream), stream), Split(*bytes, stream), order);
    EXPECT_TRUE(difference.empty())
        << "on the real descriptor " << static_cast<int>(stream) << ", " << difference;
  }
}

std::vector<Record> LinesOf(const Way& way, int thread, int repetitions) {
  std::vector<Record> all;
  for (int i = 0; i < repetitions; ++i) {
    for (Record& record : way.lines(Tag(thread, i))) all.push_back(std::move(record));
  }
  return all;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string TemporaryPath(int thread) {
  return TemporaryFolder::path + "/thread-" + std::to_string(thread);
}

}  // namespace jobtail::capture
