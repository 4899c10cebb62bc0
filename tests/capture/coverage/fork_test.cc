// fork on a captured thread: in its child, the library touches nothing that a thread which is gone
// may have been using, until the child's own code runs.

#include <gtest/gtest.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <new>
#include <thread>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace {

// In the child of a fork, between the first of its handlers and the last.
constinit std::atomic<bool> in_handlers = false;

void RequireOutsideOfHandlers() {
  if (in_handlers) abort();
}

}  // namespace

void* operator new(size_t size) {
  RequireOutsideOfHandlers();
  void* const memory = malloc(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  RequireOutsideOfHandlers();
  free(memory);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace jobtail::capture {
namespace {

void ExpectChildOfFork(const Options& options) {
  const Observation seen = Observe([&](Recorder& sink) {
    // A thread of its own, for those options that change a thread for good.
    std::thread([&] {
      // The child's handlers are called in the order in which they were set up.
      pthread_atfork(nullptr, nullptr, [] { in_handlers = true; });
      const Scope scope(&sink, options);
      pthread_atfork(nullptr, nullptr, [] { in_handlers = false; });
      for (int i = 0; i < 3; ++i) {
        const pid_t pid = fork();
        if (pid == 0) {
          Recorder inner;
          {
            const Scope again(&inner);
            puts("in a scope of the child's own");
          }
          _exit(inner.records().size() == 1 ? 0 : 1);
        }
        int status;
        Require(waitpid(pid, &status, 0) == pid && status == 0, "the child ends well");
      }
      puts("after");
    }).join();
  });
  EXPECT_EQ(seen.captured(), std::vector{Out("after")});
}

TEST(Fork, AllocatesNothingInItsChild) { ExpectChildOfFork({}); }

TEST(Fork, AllocatesNothingInItsChildWithAllOptions) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer takes descriptors of one number in different tables for one";
#endif
  ExpectChildOfFork({.private_descriptors = true, .replace_stdio = true});
}

// Scopes come and go on other threads meanwhile, with the locks that they take.
TEST(Fork, LeavesItsChildNoLockOfAThreadThatIsGone) {
  const Observation seen = Observe([](Recorder& sink) {
    std::atomic<bool> done = false;
    std::vector<std::thread> others;
    for (int i = 0; i < 2; ++i) {
      others.emplace_back([&] {
        Recorder own;
        while (!done) const Scope scope(&own, {.replace_stdio = true});
      });
    }
    {
      const Scope scope(&sink);
      for (int i = 0; i < 100; ++i) {
        const pid_t pid = fork();
        if (pid == 0) {
          Recorder inner;
          { const Scope again(&inner, {.replace_stdio = true}); }
          _exit(0);
        }
        int status;
        Require(waitpid(pid, &status, 0) == pid && status == 0, "the child ends well");
      }
    }
    done = true;
    for (std::thread& other : others) other.join();
  });
  EXPECT_TRUE(seen.captured().empty());
}

}  // namespace
}  // namespace jobtail::capture
