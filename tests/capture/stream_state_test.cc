// One run's std::cout is not another's: errors and format end with it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <ios>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

class StreamState : public ::testing::TestWithParam<bool> {
 protected:
  // In a process of its own.
  template <typename Body>
  static Observation Watch(Body body) {
    const bool synced = GetParam();
    return Observe([&](Recorder& sink) {
      if (!synced) std::ios::sync_with_stdio(false);
      body(sink);
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Synced, StreamState, ::testing::Bool());

void Print(Recorder& sink) {
  const Scope scope(&sink);
  std::cout << 16 << ' ' << 0.5 << std::endl;
  std::cerr << 17 << std::endl;
  std::clog << 18 << std::endl;
  std::wcout << L"wide " << 19 << std::endl;
}

const std::vector<Record> kPrinted{Out("16 0.5"), Err("17"), Err("18"), Out("wide 19")};

TEST_P(StreamState, OfARunThatPrintedANullPointer) {
  const Observation seen = Watch([](Recorder& sink) {
    {
      const Scope scope(&sink);
      for (std::ostream* const out : {&std::cout, &std::cerr, &std::clog}) {
        *out << static_cast<const char*>(nullptr);
        Require(out->bad(), "that is an error");
      }
      std::wcout << static_cast<const wchar_t*>(nullptr);
      std::cout << "nothing" << std::endl;
    }
    Print(sink);
  });
  EXPECT_EQ(seen.captured(), kPrinted);
}

TEST_P(StreamState, OfARunThatClosedItsDescriptors) {
  const Observation seen = Watch([](Recorder& sink) {
    {
      const Scope scope(&sink);
      close(1);
      close(2);
      std::cout << "nothing" << std::endl;
      std::cerr << "nothing" << std::endl;
      std::clog << "nothing" << std::endl;
      std::wcout << L"nothing" << std::endl;
      Require(!std::cout && !std::cerr, "that is an error");
    }
    Print(sink);
  });
  EXPECT_EQ(seen.captured(), kPrinted);
}

TEST_P(StreamState, OfARunThatFilledADisk) {
  const Observation seen = Watch([](Recorder& sink) {
    {
      const Scope scope(&sink);
      Require(freopen("/dev/full", "w", stdout) == stdout, "stdout is reopened");
      const std::string much(100'000, 'x');
      std::cout << much << std::endl;
      Require(!std::cout, "that is an error");
    }
    Print(sink);
  });
  EXPECT_EQ(seen.captured(), kPrinted);
}

TEST_P(StreamState, FormatAndExceptions) {
  const Observation seen = Watch([](Recorder& sink) {
    {
      const Scope scope(&sink);
      std::cout << std::hex << std::scientific;
      std::cout.precision(3);
      std::cout.fill('*');
      std::cout.width(20);
      std::cout.tie(&std::cerr);
      std::cout.exceptions(std::ios::badbit);
      std::cerr << std::oct << std::nounitbuf;
      std::wcout << std::hex;
    }
    Require(std::cout.exceptions() == std::ios::goodbit, "exceptions are off");
    Require(!std::cout.tie(), "nothing is tied");
    Require(std::cerr.flags() & std::ios::unitbuf, "cerr is unbuffered");
    Print(sink);
  });
  EXPECT_EQ(seen.captured(), kPrinted);
}

// The program's own settings are the run's, too, and survive it.
TEST_P(StreamState, OfTheProgramStays) {
  const Observation seen = Watch([](Recorder& sink) {
    std::cout << std::hex;
    std::cout.setstate(std::ios::failbit);
    std::cout.exceptions(std::ios::badbit);
    {
      const Scope scope(&sink);
      std::cout << 255 << std::endl << std::dec;
    }
    Require(std::cout.rdstate() == std::ios::failbit, "the error is there again");
    Require(std::cout.exceptions() == std::ios::badbit, "and what it throws for");
    std::cout.clear();
    std::cout << 255 << std::endl;
  });
  EXPECT_EQ(seen.captured(), std::vector{Out("ff")});
  EXPECT_EQ(seen.out, "ff\n");
}

TEST_P(StreamState, OfARunThatFailedWhileAnotherGoesOn) {
  const Observation seen = Watch([](Recorder& sink) {
    Recorder other;
    const Scope outer(&other);
    std::thread([&] {
      const Scope scope(&other);
      std::cout << static_cast<const char*>(nullptr);
    }).join();
    Require(std::cout.good(), "the error has ended with its scope");
    std::cout << static_cast<const char*>(nullptr);
    std::thread([&] { Print(sink); }).join();
  });
  EXPECT_EQ(seen.captured(), kPrinted);
}

TEST(StreamBuffers, AreTheirOwnAlsoIfTheJobAsksForThem) {
  const Observation seen = Observe([](Recorder& sink) {
    {
      const Scope scope(&sink);
      std::ios::sync_with_stdio(false);
      std::cout << "unfinished";
      std::thread([] { std::cout << "thread" << std::endl; }).join();
      std::cout << ", and finished" << std::endl;
    }
    std::cout << "real" << std::endl;
  });
  EXPECT_EQ(seen.captured(), (std::vector{Out("thread"), Out("unfinished, and finished")}));
  EXPECT_EQ(seen.out, "real\n");
}

}  // namespace
}  // namespace jobtail::capture
