// The C++ streams.

#include <gtest/gtest.h>

#include <clocale>
#include <iostream>
#include <locale>
#include <ostream>
#include <string>
#include <syncstream>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

// As programs are, and with std::ios::sync_with_stdio(false).
class Iostreams : public ::testing::TestWithParam<bool> {
 protected:
  static void Expect(Row row) {
    const bool synced = GetParam();
    row.before = [synced, before = row.before] {
      if (!synced) std::ios::sync_with_stdio(false);
      before();
    };
    ExpectCaptured(row);
  }
};

TEST_P(Iostreams, CoutEndl) {
  Expect({.captured = {[](const Tag& tag) {
            std::cout << tag.thread << ':' << tag.repetition << std::endl;
          }}});
}

TEST_P(Iostreams, CoutWithoutFlush) {
  Expect({.captured = {[](const Tag& tag) { std::cout << tag.text << '\n'; }}});
}

TEST_P(Iostreams, Osyncstream) {
  Expect({.captured = {[](const Tag& tag) {
            std::osyncstream(std::cout) << tag.thread << ':' << tag.repetition << std::endl;
          }}});
}

// What is flushed before its line has ended is handed on as it is.
TEST_P(Iostreams, CoutFlush) {
  Expect({.captured = {[](const Tag& tag) {
                         std::cout << "so far, " << std::flush << tag.text << std::endl;
                       },
                       [](const Tag& tag) {
                         return std::vector{OutPart("so far, "), Out(tag.text)};
                       }}});
}

TEST_P(Iostreams, CoutUnformatted) {
  Expect({.captured = {[](const Tag& tag) {
            std::cout.write(tag.text.data(), std::ssize(tag.text)).put('\n').flush();
          }}});
}

// unitbuf flushes after every output, which is no request to tear lines apart.
TEST_P(Iostreams, CoutUnitbuf) {
  Expect({.captured = {[](const Tag& tag) {
            std::cout << tag.thread << ':' << tag.repetition << '\n';
          }},
          .before = [] { std::cout << std::unitbuf; }});
}

TEST_P(Iostreams, CerrAndClog) {
  Expect({.captured = {[](const Tag& tag) {
                         std::cerr << tag.thread << ':' << tag.repetition << '\n';
                         std::clog << tag.thread << ':' << tag.repetition << std::endl;
                       },
                       [](const Tag& tag) {
                         return std::vector{Err(tag.text), Err(tag.text)};
                       }}});
}

TEST_P(Iostreams, CoutAndCerrInTheOrderWritten) {
  Expect({.captured = {[](const Tag& tag) {
                         std::cout << tag.text << '\n';
                         std::cerr << tag.text << '\n';
                       },
                       OnBoth}});
}

// std::cerr is tied to std::cout, and a stream of the job's own can be: what the tie flushes comes
// first, as it does uncaptured.
TEST_P(Iostreams, Tied) {
  Expect({.captured = {[](const Tag& tag) {
                         std::ostream own(std::clog.rdbuf());
                         own.tie(&std::cout);
                         std::cout << "half ";
                         own << tag.text << '\n';
                         std::cout << tag.text << '\n';
                       },
                       [](const Tag& tag) {
                         return std::vector{OutPart("half "), Err(tag.text), Out(tag.text)};
                       }}});
}

std::vector<Record> Wide(const Tag& tag) { return {Out("\xc3\xa4" + tag.text)}; }

// The thread that is not captured prints narrow characters: the real stdout stays as it is.
TEST_P(Iostreams, Wcout) {
  Expect({.captured = {[](const Tag& tag) { std::wcout << L"\u00e4" << tag.wide() << std::endl; },
                       Wide},
          .uncaptured = Plainly(),
          .before = [] {
            std::setlocale(LC_ALL, "C.UTF-8");
            if (!GetParam()) std::wcout.imbue(std::locale("C.UTF-8"));
          }});
}

TEST_P(Iostreams, WcerrAndWclog) {
  Expect({.captured = {[](const Tag& tag) {
                         std::wcerr << tag.wide() << L'\n';
                         std::wclog << tag.wide() << std::endl;
                       },
                       [](const Tag& tag) {
                         return std::vector{Err(tag.text), Err(tag.text)};
                       }},
          .uncaptured = Plainly()});
}

// Made on std::cout's buffer when nothing was captured yet. Only while the streams are synchronised
// with stdio: otherwise that buffer is a thing of one thread at a time, whether captured or not.
TEST(SyncedIostreams, CustomStreamMadeBefore) {
  static std::ostream custom(std::cout.rdbuf());
  ExpectCaptured({.captured = {[](const Tag& tag) { custom << tag.text << std::endl; }}});
}

TEST(UnsyncedIostreams, CharactersThatTheLocaleDoesNotHave) {
  const Observation seen = Observe([](Recorder& sink) {
    Require(setlocale(LC_ALL, "C") != nullptr, "there is the C locale");
    std::ios::sync_with_stdio(false);
    const Scope scope(&sink);
    std::wcout << L"caf\u00e9 au lait\n\u00e9t\u00e9" << std::endl;
    std::wcerr << L"\u00e9" << std::endl;
    Require(std::wcout.good() && std::wcerr.good(), "no stream has failed");
  });
  EXPECT_EQ(seen.captured(), (std::vector{Out("caf? au lait"), Out("?t?"), Err("?")}));
}

std::string Name(const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "Synced" : "Unsynced";
}

INSTANTIATE_TEST_SUITE_P(Coverage, Iostreams, ::testing::Bool(), Name);

}  // namespace
}  // namespace jobtail::capture
