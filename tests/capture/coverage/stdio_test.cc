// The functions of <stdio.h>. Built twice, the second time with -O2 -D_FORTIFY_SOURCE=2, which
// turns the formatting ones into calls of others.

#include <gtest/gtest.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <string>
#include <vector>

#include "tests/capture/coverage/row.h"

#ifdef WANT_FORTIFY
#if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL < 2
#error "this build is to test the functions that _FORTIFY_SOURCE calls"
#endif
#define SUITE FortifiedStdio
#else
#define SUITE Stdio
#endif

namespace jobtail::capture {
namespace {

// Hides from the compiler what a function is, so that it can neither turn it into another one nor
// put the C library's inline version in its place.
template <typename Function>
Function* Opaque(Function* function) {
  Function* volatile hidden = function;
  return hidden;
}

TEST(SUITE, Printf) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 Require(printf("%d:%d\n", tag.thread, tag.repetition) ==
                                             static_cast<int>(tag.line().size()),
                                         "printf returns the number of characters");
                                 printf("%s\n", tag.c_str());  // which compilers make puts
                               },
                               TwiceOnStdout}});
}

TEST(SUITE, Fprintf) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 fprintf(stdout, "%d:%d\n", tag.thread, tag.repetition);
                                 fprintf(stderr, "%d:%d\n", tag.thread, tag.repetition);
                               },
                               OnBoth}});
}

int CallVprintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vprintf(format, arguments);
  va_end(arguments);
  return result;
}

int CallVfprintf(FILE* file, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vfprintf(file, format, arguments);
  va_end(arguments);
  return result;
}

TEST(SUITE, VprintfAndVfprintf) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 CallVprintf("%d:%d\n", tag.thread, tag.repetition);
                                 CallVfprintf(stderr, "%d:%d\n", tag.thread, tag.repetition);
                               },
                               OnBoth}});
}

// Longer than what is formatted without asking for memory.
TEST(SUITE, PrintfOfLongLines) {
  const auto filled = [](const Tag& tag) {
    return tag.text + std::string(700 + 10 * (tag.repetition % 100), '.');
  };
  ExpectCaptured(
      {.captured = {[=](const Tag& tag) { printf("%s %d\n", filled(tag).c_str(), 1); },
                    [=](const Tag& tag) { return std::vector{Out(filled(tag) + " 1")}; }}});
}

// Which is no stdio: it writes to the descriptor at once.
// Longer than any buffer on its way; to the sink, to a descriptor, and to a file of the job's own.
TEST(SUITE, PrintfOfAVeryLongLine) {
  const std::string text(1'000'000, 'x');
  const Observation seen = Observe([&](Recorder& sink) {
    const Scope scope(&sink);
    const int size = static_cast<int>(text.size());
    Require(printf("%s|%d\n", text.c_str(), 1) == size + 3, "printf");
    Require(dprintf(1, "%s|%d\n", text.c_str(), 2) == size + 3, "dprintf");
    Require(printf("%*d|%d\n", size, 0, 3) == size + 3, "a width");
    puts("short");
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout),
            text + "|1\n" + text + "|2\n" + std::string(text.size() - 1, ' ') + "0|3\nshort\n");
}

// Beside a thread that flushes all streams: none of them is one that a captured thread formats in.
TEST(SUITE, PrintfWhileOthersFlushAll) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) { printf("%d:%d\n", tag.thread, tag.repetition); }},
       .uncaptured = {[](const Tag& tag) {
         puts(tag.c_str());
         for (int i = 0; i < 100; ++i) fflush(nullptr);
       }}});
}

class PrintingSink : public Recorder {
 public:
  void Write(std::span<const Line> lines) noexcept override {
    printf("%zu\n", lines.front().text.size());
    Recorder::Write(lines);
  }
};

// What a sink prints while it is given what is still being formatted does not get into it.
TEST(SUITE, PrintfIntoASinkThatPrints) {
  const std::string text(200'000, 'x');
  const Observation seen = Observe([&](Recorder& sink) {
    PrintingSink printing;
    {
      const Scope scope(&printing);
      printf("%s|\n", text.c_str());
      printf("%s\n", "short");
    }
    const Scope scope(&sink);
    printf("%s", Join(printing.records(), Stream::kStdout).c_str());
  });
  EXPECT_EQ(Join(seen.captured(), Stream::kStdout), text + "|\nshort\n");
  EXPECT_EQ(seen.out, "65536\n65536\n65536\n3393\n5\n");
}

TEST(SUITE, Dprintf) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 dprintf(1, "%d:%d\n", tag.thread, tag.repetition);
                                 dprintf(2, "%d:%d\n", tag.thread, tag.repetition);
                               },
                               OnBoth}});
}

TEST(SUITE, PutsAndFputs) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 Opaque(puts)(tag.c_str());
                                 fputs(tag.line().c_str(), stderr);
                               },
                               OnBoth}});
}

// Character by character: the pieces of a thread become its own line.
TEST(SUITE, PutcharAndFputc) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 for (const char c : tag.line()) putchar(c);
                                 for (const char c : tag.line()) putc(c, stdout);
                                 for (const char c : tag.line()) fputc(c, stderr);
                               },
                               [](const Tag& tag) {
                                 return std::vector{Out(tag.text), Out(tag.text), Err(tag.text)};
                               }},
                  .repetitions = 100});
}

TEST(SUITE, Fwrite) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const std::string line = tag.line();
                                 fwrite(line.data(), 1, line.size(), stdout);
                                 Require(fwrite(line.data(), line.size(), 1, stderr) == 1,
                                         "fwrite returns the number of items");
                               },
                               OnBoth}});
}

TEST(SUITE, Perror) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 errno = ENOENT;
                                 perror(tag.c_str());
                               },
                               [](const Tag& tag) {
                                 return std::vector{Err(tag.text + ": No such file or directory")};
                               }}});
}

// The real streams' locks are not taken for captured text, so this is captured, or it is not: no
// call is inlined here.
TEST(SUITE, UnlockedFunctions) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const std::string line = tag.line();
                                 for (const char c : line) Opaque(putchar_unlocked)(c);
                                 for (const char c : line) Opaque(putc_unlocked)(c, stdout);
                                 for (const char c : line) Opaque(fputc_unlocked)(c, stdout);
                                 Opaque(fputs_unlocked)(line.c_str(), stdout);
                                 Opaque(fwrite_unlocked)(line.data(), 1, line.size(), stdout);
                                 Opaque(fflush_unlocked)(stdout);
                               },
                               [](const Tag& tag) { return std::vector(5, Out(tag.text)); }},
                  .repetitions = 100});
}

FILE* const saved_stdout = stdout;
FILE* const saved_stderr = stderr;

TEST(SUITE, StreamsSavedInGlobals) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 fprintf(saved_stdout, "%d:%d\n", tag.thread, tag.repetition);
                                 fputs(tag.line().c_str(), saved_stderr);
                                 fflush(saved_stdout);
                               },
                               OnBoth}});
}

TEST(SUITE, Fflush) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 printf("so far, ");
                                 Require(fflush(stdout) == 0, "stdout is flushed");
                                 puts(tag.c_str());
                                 printf("all, ");
                                 Require(fflush(nullptr) == 0, "every stream is flushed");
                                 puts(tag.c_str());
                               },
                               [](const Tag& tag) {
                                 return std::vector{OutPart("so far, "), Out(tag.text),
                                                    OutPart("all, "), Out(tag.text)};
                               }}});
}

TEST(SUITE, EverythingInTheOrderWritten) {
  ExpectCaptured(
      {.captured = {
           [](const Tag& tag) {
             printf("%s\n", tag.c_str());
             fprintf(stderr, "%s\n", tag.c_str());
             fputs(tag.line().c_str(), stdout);
             fputs(tag.line().c_str(), stderr);
           },
           [](const Tag& tag) {
             return std::vector{Out(tag.text), Err(tag.text), Out(tag.text), Err(tag.text)};
           }}});
}

}  // namespace
}  // namespace jobtail::capture
