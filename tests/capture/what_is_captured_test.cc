// Every way to print, from every kind of code: what the sink gets is what the same code prints to
// the real descriptors when it is not captured, and then nothing reaches those.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <iostream>
#include <latch>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/printers.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Opened when the test needs it, as a plugin is.
const std::vector<Printer>* OpenedPrinters() {
  void* plugin = dlopen(PRINTERS_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  Require(plugin != nullptr, "the plugin opens");
  return reinterpret_cast<PrintersFunction*>(dlsym(plugin, "PluginPrinters"))();
}

struct Build {
  const char* name;
  PrintersFunction* printers;
};

const Build kBuilds[] = {{"Plain", PlainPrinters},
                         {"Fortified", FortifiedPrinters},
                         {"SharedLibrary", SharedLibraryPrinters},
                         {"Plugin", OpenedPrinters}};

struct Case {
  Build build;
  size_t printer;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.build.name << PlainPrinters()->at(c.printer).name;
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const Build& build : kBuilds) {
    for (size_t i = 0; i < PlainPrinters()->size(); ++i) cases.push_back({build, i});
  }
  return cases;
}

class WhatIsCaptured : public ::testing::TestWithParam<Case> {
 protected:
  static const Printer& printer() { return GetParam().build.printers()->at(GetParam().printer); }

  // The calls' results go to the sink as a line, for comparison.
  static void Print(Recorder& sink) {
    std::vector<long> results;
    printer().print(results);
    std::string line = "results:";
    for (const long result : results) line += " " + std::to_string(result);
    const Line report{Stream::kStdout, Ending::kLf, 0, line};
    sink.Write({&report, 1});
  }
};

TEST_P(WhatIsCaptured, AsItWouldHaveBeenPrinted) {
  const Observation real = Observe([](Recorder& sink) { Print(sink); });
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    Print(sink);
  });
  ASSERT_EQ(real.captured().size(), 1u);
  EXPECT_EQ(Join(seen.captured(), Stream::kStderr), real.err);
  std::vector<Record> captured = seen.captured();
  std::erase(captured, real.captured()[0]);
  EXPECT_EQ(captured.size() + 1, seen.captured().size()) << "the calls' results differ";
  EXPECT_EQ(Join(captured, Stream::kStdout), real.out);
  EXPECT_EQ(seen.out, "");
  EXPECT_EQ(seen.err, "");
}

TEST_P(WhatIsCaptured, NotOnThreadsWithoutScope) {
  const Observation real = Observe([](Recorder& sink) { Print(sink); });
  const Observation seen = ObserveSinks(2, [](std::deque<Recorder>& sinks) {
    std::latch opened(1);
    std::thread other([&] {
      opened.wait();
      Print(sinks[1]);
    });
    Scope scope(&sinks[0]);
    opened.count_down();
    other.join();
  });
  EXPECT_EQ(seen.out, real.out);
  EXPECT_EQ(seen.err, real.err);
  EXPECT_THAT(seen.captured(), IsEmpty());
  EXPECT_EQ(seen.sinks[1], real.captured()) << "the calls' results differ";
}

INSTANTIATE_TEST_SUITE_P(, WhatIsCaptured, ::testing::ValuesIn(AllCases()),
                         ::testing::PrintToStringParamName());

// A program that has untied the C++ streams from the C ones.
TEST(UnsyncedStreams, AreCaptured) {
  const Observation seen = Observe([](Recorder& sink) {
    std::ios::sync_with_stdio(false);
    std::cout << "before\n";
    {
      Scope scope(&sink);
      std::cout << "cout " << 1 << "\n";
      std::cerr << "cerr " << 2 << "\n";
      std::clog << "clog " << 3 << "\n";
      printf("printf\n");
    }
    std::cout << "after\n";
    std::cerr << "after err\n";
  });
  EXPECT_THAT(seen.captured(),
              ElementsAre(Out("cout 1"), Err("cerr 2"), Err("clog 3"), Out("printf")));
  EXPECT_EQ(seen.out, "before\nafter\n");
  EXPECT_EQ(seen.err, "after err\n");
}

TEST(UnsyncedStreams, ReachTheRealDescriptorsFromThreadsWithoutScope) {
  const Observation seen = Observe([](Recorder& sink) {
    std::ios::sync_with_stdio(false);
    std::latch opened(1);
    std::thread other([&] {
      opened.wait();
      for (int i = 0; i < 1000; ++i) std::cout << i << ' ';
      std::cout << std::endl;
    });
    Scope scope(&sink);
    opened.count_down();
    other.join();
    std::cout << "mine\n";
  });
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + " ";
  EXPECT_EQ(seen.out, expected + "\n");
  EXPECT_THAT(seen.captured(), ElementsAre(Out("mine")));
}

// A stream buffer that the program has put into std::cout itself is its own business.
TEST(RedirectedStreams, AreLeftAlone) {
  const Observation seen = Observe([](Recorder& sink) {
    std::ostringstream own;
    std::streambuf* const before = std::cout.rdbuf(own.rdbuf());
    {
      Scope scope(&sink);
      std::cout << "to the program's own buffer\n";
    }
    std::cout.rdbuf(before);
    Require(own.str() == "to the program's own buffer\n", "the text is in the program's buffer");
  });
  EXPECT_THAT(seen.captured(), IsEmpty());
  EXPECT_EQ(seen.out, "");
}

}  // namespace
}  // namespace jobtail::capture
