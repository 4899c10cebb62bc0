// What goes past capture, and where it goes instead: the rows of docs/capture.md's table that say
// so.

#include <aio.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ext/stdio_filebuf.h>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "capture/scope.h"
#include "tests/capture/coverage/row.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A thread within the C library does the writing.
TEST(NotCaptured, AioWrite) {
  const Observation seen = Observe([](Recorder& sink) {
    Scope scope(&sink);
    char text[] = "by aio_write\n";
    aiocb request = {};
    request.aio_fildes = 1;
    request.aio_buf = text;
    request.aio_nbytes = sizeof text - 1;
    Require(aio_write(&request) == 0, "the request is taken");
    const aiocb* const requests[] = {&request};
    while (aio_error(&request) == EINPROGRESS) aio_suspend(requests, 1, nullptr);
    Require(aio_return(&request) == sizeof text - 1, "all is written");
    puts("by puts");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("by puts")));
  EXPECT_EQ(seen.out, "by aio_write\n");
}

// The text of the job, which is captured, is the sink's whatever the variable says; what others
// print is where the variable leads, as in any program.
TEST(NotCaptured, OthersWhereAJobSetsTheVariableStdout) {
  const Observation seen = Observe([](Recorder& sink) {
    FILE* const before = stdout;
    const int memory = memfd_create("file", MFD_CLOEXEC);
    {
      Scope scope(&sink);
      stdout = fdopen(memory, "w");
      Require(stdout != nullptr, "the file opens");
      printf("the job\n");
      std::thread([] { std::puts("of the job's thread"); }).join();
    }
    printf("others\n");
    Require(fflush(stdout) == 0, "the file is written");
    char text[32] = {};
    Require(pread(memory, text, sizeof text - 1, 0) >= 0, "the file is read");
    Require(std::string_view(text) == "others\n", "the file has what others print");
    fclose(stdout);
    stdout = before;
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("the job"), Out("of the job's thread")));
  EXPECT_EQ(seen.out, "");
}

// A buffer of the program's own in std::cout is left where it is; what it writes to descriptor 1 is
// written by whoever flushes it.
TEST(NotCaptured, AStdioFilebufUntilACapturedThreadFlushesIt) {
  const Observation seen = Observe([](Recorder& sink) {
    __gnu_cxx::stdio_filebuf<char> own(1, std::ios::out);
    std::streambuf* const before = std::cout.rdbuf(&own);
    {
      Scope scope(&sink);
      std::cout << "flushed in the job" << std::endl;
      std::cout << "left in the buffer\n";
    }
    std::cout << "and after it" << std::endl;
    std::cout.rdbuf(before);
    dup2(2, 1);  // the buffer closes its descriptor
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("flushed in the job")));
  EXPECT_EQ(seen.out, "left in the buffer\nand after it\n");
}

using WriteFunction = ssize_t(int, const void*, size_t);

// `write` of the C library itself, or of another copy of it.
WriteFunction* WriteOf(void* library) {
  Require(library != nullptr, "the C library is found");
  auto* const function = reinterpret_cast<WriteFunction*>(dlsym(library, "write"));
  Require(function != nullptr, "it has write");
  return function;
}

void ExpectPastCapture(void* (*open)()) {
  const Observation seen = Observe([open](Recorder& sink) {
    Scope scope(&sink);
    Require(WriteOf(open())(1, "past capture\n", 13) == 13, "all is written");
    puts("by puts");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("by puts")));
  EXPECT_EQ(seen.out, "past capture\n");
}

// Private descriptors have it all the same.
void ExpectCapturedWithPrivateDescriptors(void* (*open)()) {
  const Observation seen = Observe([open](Recorder& sink) {
    std::thread([&] {
      Scope scope(&sink, {.private_descriptors = true});
      Require(WriteOf(open())(1, "by a descriptor\n", 16) == 16, "all is written");
    }).join();
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("by a descriptor")));
  EXPECT_EQ(seen.out, "");
}

void* CLibrary() { return dlopen("libc.so.6", RTLD_NOW); }

TEST(NotCaptured, AFunctionLookedUpInTheCLibrary) { ExpectPastCapture(CLibrary); }

TEST(NotCaptured, AFunctionLookedUpInTheCLibraryButWithPrivateDescriptors) {
  SKIP_PRIVATE_DESCRIPTORS_UNDER_THREAD_SANITIZER();
  ExpectCapturedWithPrivateDescriptors(CLibrary);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // neither has a second one

void* SecondCLibrary() { return dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW); }

TEST(NotCaptured, ASecondCLibrary) { ExpectPastCapture(SecondCLibrary); }

TEST(NotCaptured, ASecondCLibraryButWithPrivateDescriptors) {
  ExpectCapturedWithPrivateDescriptors(SecondCLibrary);
}

#endif

}  // namespace
}  // namespace jobtail::capture
