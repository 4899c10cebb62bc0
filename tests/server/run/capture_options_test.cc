// Tests of what a job has caught of its function's output.

#include <fcntl.h>
#include <getopt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CaptureOptionsTest : public testing::EngineTest {
 protected:
  // What the log of a run has that calls the function.
  std::vector<std::string> Caught(void (*function)(JobContext&), const capture::Options& options) {
    AddJob(Job("job", function).Capture(options));
    std::vector<std::string> texts;
    for (const v1::LogLine& line : AwaitLog(Start("job"))) {
      if (line.has_text()) texts.push_back(line.text());
    }
    return texts;
  }
};

// Runs of threads that have descriptors of their own.
class OwnDescriptorsTest : public CaptureOptionsTest {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer takes descriptors of one number in different tables for one";
#endif
  }
};

void PrintFromAChild(JobContext&) { EXPECT_EQ(system("echo from a child"), 0); }

TEST_F(CaptureOptionsTest, ChildProcessesAreCaught) {
  EXPECT_THAT(Caught(PrintFromAChild, {}), ElementsAre("from a child"));
}

TEST_F(CaptureOptionsTest, ChildProcessesAreNotCaughtIfTheyAreNotToBe) {
  EXPECT_THAT(Caught(PrintFromAChild, {.child_processes = false}), IsEmpty());
}

void PrintWithinTheCLibrary(JobContext&) {
  char name[] = "program";
  char option[] = "-x";
  char* arguments[] = {name, option, nullptr};
  optind = 0;
  getopt(2, arguments, "a");
}

TEST_F(CaptureOptionsTest, StdioWithinTheCLibraryIsCaughtWhereItIsReplaced) {
  EXPECT_THAT(Caught(PrintWithinTheCLibrary, {.replace_stdio = true}),
              ElementsAre("program: invalid option -- 'x'"));
}

#ifdef __x86_64__
ssize_t WriteByInstruction(int fd, std::string_view text) {
  ssize_t result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(SYS_write), "D"(fd), "S"(text.data()), "d"(text.size())
               : "rcx", "r11", "memory");
  return result;
}

void PrintByInstruction(JobContext&) { WriteByInstruction(1, "by instruction\n"); }

TEST_F(OwnDescriptorsTest, CatchSystemCalls) {
  EXPECT_THAT(Caught(PrintByInstruction, {.private_descriptors = true}),
              ElementsAre("by instruction"));
}
#endif

void PrintALot(JobContext& run) {
  for (int i = 0; i < 1000; ++i) puts("line");
  run.Print("printed");
  run.Progress(1);
}

TEST_F(OwnDescriptorsTest, KeepTheOrder) {
  const auto texts = Caught(PrintALot, {.private_descriptors = true});
  ASSERT_EQ(texts.size(), 1001);
  EXPECT_EQ(texts.front(), "line");
  EXPECT_EQ(texts.back(), "printed");
}

// Where a thread has descriptors of its own, those that the store opens later are not among them.
TEST_F(OwnDescriptorsTest, AreNotTheStores) {
  Gate gate;
  AddJob(Job("job", [&](JobContext& run) {
           gate.Pass();
           puts("line");
           run.Print("printed");
         }).Capture({.private_descriptors = true}));
  const std::string run = Start("job");
  gate.AwaitArrival();
  // A number that is nothing in the thread's own table.
  const int opened_later = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 500);
  bool is_there = false;
  // The run's end, which its own thread stores.
  store_.AfterNext(Call::kPutRun, [&] { is_there = fcntl(opened_later, F_GETFD) >= 0; });
  gate.Open();
  AwaitClosed(run);
  EXPECT_TRUE(is_there);
  close(opened_later);
}

TEST_F(OwnDescriptorsTest, DoNotKeepResultsBack) {
  AddJob(Job("exits", [](JobContext&) { return 3; }).Capture({.private_descriptors = true}));
  EXPECT_EQ(AwaitResult(Start("exits")).exit_code(), 3);
  AddJob(Job("throws", [](JobContext&) {
           throw std::runtime_error("stuck");
         }).Capture({.private_descriptors = true}));
  EXPECT_EQ(AwaitResult(Start("throws")).error(), "exception: stuck");
  AddJob(Job("leaves", [](JobContext&) {
           pthread_exit(nullptr);
         }).Capture({.private_descriptors = true}));
  EXPECT_EQ(AwaitResult(Start("leaves")).error(), "the job ended its own thread");
}

TEST_F(OwnDescriptorsTest, MayBeThoseOfManyRuns) {
  AddJob(Job("job", PrintALot).Capture({.private_descriptors = true}));
  std::vector<std::string> runs;
  for (int i = 0; i < 10; ++i) runs.push_back(Start("job"));
  for (const std::string& run : runs) EXPECT_EQ(AwaitLog(run).size(), 1002);
}

TEST(CaptureOptions, AreForFunctionsOnThreads) {
  class Nothing : public Executor {
    absl::Status Start(std::shared_ptr<Execution>) const override { return absl::OkStatus(); }
  };
  const Job job = Job("job", std::make_shared<const Nothing>()).Capture({});
  EXPECT_EQ(job.Check().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(job.Check().message()), HasSubstr("Capture is for functions"));
}

}  // namespace
}  // namespace jobtail
