// Captured threads that are cancelled (pthread_cancel): as they would be, if nobody listened.

#include <gtest/gtest.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <iostream>
#include <latch>
#include <string>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

// A thread that starts in a scope of its own, to be cancelled.
class Cancelled {
 public:
  Cancelled(Sink* sink, std::function<void()> body) : sink_(sink), body_(std::move(body)) {
    pthread_create(&thread_, nullptr, Run, this);
  }

  void Cancel() {
    begun_.wait();
    Require(pthread_cancel(thread_) == 0, "the thread is there");
  }

  // Whether it was cancelled: it may have come to its end before.
  bool Join() {
    void* result = nullptr;
    Require(pthread_join(thread_, &result) == 0, "the thread ends");
    return result == PTHREAD_CANCELED;
  }

  void HasBegun() { begun_.count_down(); }

 private:
  static void* Run(void* argument) {
    auto* const self = static_cast<Cancelled*>(argument);
    const Scope scope(self->sink_);
    self->body_();
    return nullptr;
  }

  Sink* const sink_;
  const std::function<void()> body_;
  std::latch begun_{1};
  pthread_t thread_;
};

// Cancels a thread that does `step` over and over, from its first time on, again and again.
void ExpectPoint(const std::function<void()>& step) {
  constexpr int kTimes = 20;
  const Observation seen = Observe([&](Recorder& sink) {
    for (int i = 0; i < kTimes; ++i) {
      std::atomic<Cancelled*> self = nullptr;
      Cancelled thread(&sink, [&] {
        self.wait(nullptr);
        for (bool first = true;; first = false) {
          step();
          if (first) self.load()->HasBegun();
        }
      });
      self = &thread;
      self.notify_one();
      thread.Cancel();
      Require(thread.Join(), "the thread is cancelled");
    }
    // Nothing is left of it for the next scope.
    const Scope scope(&sink);
    std::cout << "after" << std::endl;
  });
  ASSERT_FALSE(seen.captured().empty());
  EXPECT_EQ(seen.captured().back(), Out("after"));
  EXPECT_EQ(seen.out, "");
}

TEST(Cancellation, OfALoopOfWrite) {
  ExpectPoint([] { static_cast<void>(!write(1, "line\n", 5)); });
}

TEST(Cancellation, OfALoopOfPuts) {
  ExpectPoint([] { puts("line"); });
}

TEST(Cancellation, OfALoopOfCout) {
  ExpectPoint([] { std::cout << "line" << std::endl; });
}

TEST(Cancellation, OfChildrenThatAreSpawnedAndWaitedFor) {
  ExpectPoint([] {
    char* const arguments[] = {const_cast<char*>("true"), nullptr};
    pid_t pid;
    if (posix_spawnp(&pid, "true", nullptr, nullptr, arguments, environ) == 0) {
      waitpid(pid, nullptr, 0);
    }
  });
}

TEST(Cancellation, OfPopen) {
  ExpectPoint([] {
    FILE* const pipe = popen("echo to the sink >&2", "r");
    if (pipe) pclose(pipe);
    pthread_testcancel();
  });
}

// The command goes with the thread.
TEST(Cancellation, OfSystem) {
  const Observation seen = Observe([](Recorder& sink) {
    sink.TakeWaitingText();
    Cancelled thread(&sink, [] { static_cast<void>(!system("echo begun; exec sleep 1000")); });
    sink.WaitFor([](const auto& records) { return !records.empty(); });
    thread.HasBegun();
    thread.Cancel();
    Require(thread.Join(), "the thread is cancelled");
    Require(waitpid(-1, nullptr, WNOHANG) < 0, "there is no child any more");
  });
  EXPECT_EQ(seen.captured(), std::vector{Out("begun")});
}

// A sink must not throw, and so is never cancelled.
class WaitingSink : public Sink {
 public:
  void Write(std::span<const Line>) noexcept override {
    entered.count_down();
    for (int i = 0; i < 100; ++i) {
      pthread_testcancel();
      usleep(0);
    }
    leave.wait();
    pthread_testcancel();
    ++lines;
  }
  bool TryWrite(std::span<const Line>) noexcept override { return false; }

  std::latch entered{1};
  std::latch leave{1};
  std::atomic<int> lines = 0;
};

TEST(Cancellation, WaitsForTheSink) {
  Observe([](Recorder&) {
    WaitingSink sink;
    Cancelled thread(&sink, [] {
      puts("one");
      puts("two");
    });
    sink.entered.wait();
    thread.HasBegun();
    thread.Cancel();
    sink.leave.count_down();
    Require(thread.Join(), "the thread is cancelled");
    Require(sink.lines == 1, "the sink has had the line, and no other");
  });
}

}  // namespace
}  // namespace jobtail::capture
