// What a process says when it ends: to the run's log, and to the real stderr, where whoever looks
// for the reason will look.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#undef NDEBUG
#include <algorithm>
#include <atomic>
#include <cassert>
#include <exception>
#include <functional>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

std::latch* aborting = nullptr;

// In abort(): holds the thread for good. The process goes on without it.
void Hold(int) {
  aborting->count_down();
  while (true) pause();
}

// Eight captured threads that call `die`, which aborts, beside one that is not captured.
Observation ObserveDeaths(const std::function<void(const Tag& tag)>& die) {
  return ObserveSinks(kThreads, [&die](std::deque<Recorder>& sinks) {
    signal(SIGABRT, Hold);
    static std::latch arrived(kThreads);  // they outlive this function, as the threads do
    static std::latch begin(kThreads + 1);
    aborting = &arrived;
    for (int t = 0; t < kThreads; ++t) {
      std::thread([&, t] {
        Scope scope(&sinks.at(t));
        begin.arrive_and_wait();
        die(Tag(t, 0));
      }).detach();
    }
    begin.arrive_and_wait();
    int i = 0;
    do {
      const std::string line = Tag(kUncaptured, i++).line();
      Require(write(1, line.data(), line.size()) > 0, "the uncaptured thread prints");
    } while (!arrived.try_wait());
  });
}

// The thread that is not captured printed its lines and nobody else's.
void ExpectUncaptured(const Observation& seen) {
  std::string expected;
  for (int i = 0; expected.size() < seen.out.size(); ++i) expected += Tag(kUncaptured, i).line();
  EXPECT_EQ(seen.out, expected);
}

std::vector<std::string> SortedLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  std::ranges::sort(lines);
  return lines;
}

TEST(LastWords, Assert) {
  const Observation seen = ObserveDeaths([](const Tag& tag) {
    switch (tag.thread) {
      case 0:
        assert(tag.text == "first");
        break;
      default:
        assert(tag.text == "another");
    }
  });
  ExpectUncaptured(seen);
  std::vector<std::string> said;
  for (int t = 0; t < kThreads; ++t) {
    const std::vector<Record>& captured = seen.sinks.at(t);
    ASSERT_EQ(captured.size(), 1u) << "in sink " << t;
    EXPECT_EQ(captured[0].stream, Stream::kStderr);
    EXPECT_EQ(captured[0].ending, Ending::kLf);
    const std::string condition = t == 0 ? "tag.text == \"first\"" : "tag.text == \"another\"";
    EXPECT_NE(captured[0].text.find("Assertion `" + condition + "' failed."), std::string::npos)
        << captured[0];
    said.push_back(captured[0].text);
  }
  std::ranges::sort(said);
  EXPECT_EQ(SortedLines(seen.err), said);
}

// The runtime says why for the thread that is first, or two that are; of the others, that they came
// later. It writes its sentence in pieces, between which those of other threads may stand on the
// real stderr.
TEST(LastWords, Terminate) {
  const Observation seen = ObserveDeaths([](const Tag& tag) {
    try {
      throw std::runtime_error(tag.text);
    } catch (...) {
      std::terminate();
    }
  });
  ExpectUncaptured(seen);
  int with_reason = 0;
  size_t bytes = 0;
  for (int t = 0; t < kThreads; ++t) {
    const std::string said = Join(seen.sinks.at(t), Stream::kStderr);
    bytes += said.size();
    if (said == "terminate called recursively\n") continue;
    EXPECT_EQ(said,
              "terminate called after throwing an instance of 'std::runtime_error'\n  what():  " +
                  Tag(t, 0).line());
    ++with_reason;
    EXPECT_NE(seen.err.find("std::runtime_error"), std::string::npos) << seen.err;
    EXPECT_NE(seen.err.find(Tag(t, 0).text), std::string::npos) << seen.err;
  }
  EXPECT_GE(with_reason, 1);
  EXPECT_EQ(seen.err.size(), bytes) << seen.err;
}

}  // namespace
}  // namespace jobtail::capture
