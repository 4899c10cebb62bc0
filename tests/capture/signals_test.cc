// Signal handlers that print, whatever they interrupt.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capture/scope.h"
#include "tests/capture/recorder.h"

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;

void Install(int signal, void (*handler)(int), int flags = 0) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | flags;
  Require(sigaction(signal, &action, nullptr) == 0, "a handler is installed");
}

void Print(const char* text) {
  Require(write(1, text, std::char_traits<char>::length(text)) > 0, "a handler can write");
}

TEST(SignalHandlers, AreCapturedOnTheThreadThatTheyInterrupt) {
  const Observation seen = Observe([](Recorder& sink) {
    Install(SIGUSR1, [](int) { Print("from the handler\n"); });
    raise(SIGUSR1);
    Scope scope(&sink);
    puts("one");
    raise(SIGUSR1);
    puts("two");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("one"), Out("from the handler"), Out("two")));
  EXPECT_EQ(seen.out, "from the handler\n");
}

TEST(SignalHandlers, KeepTheOrderOfStdoutAndStderr) {
  const Observation seen = Observe([](Recorder& sink) {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      Print(info->si_pid == getpid() ? "mine\n" : "not mine\n");
      Require(write(2, "and stderr\n", 11) == 11, "a handler can write");
      Print("unfinished ");
    };
    sigaction(SIGUSR1, &action, nullptr);
    Scope scope(&sink);
    raise(SIGUSR1);
    puts("end");
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("mine"), Err("and stderr"), Out("unfinished end")));
}

// A thread that prints nothing any more: what its handlers print comes by itself.
TEST(SignalHandlers, AreHandedOnThoughTheThreadIsSilent) {
  const Observation seen = Observe([](Recorder& sink) {
    Install(SIGUSR1, [](int) { Print("from the handler\n"); });
    sink.TakeWaitingText();
    Scope scope(&sink);
    raise(SIGUSR1);
    sink.WaitFor([](const std::vector<Record>& records) { return !records.empty(); });
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("from the handler")));
}

TEST(SignalHandlers, MayBeLeftByJumping) {
  static sigjmp_buf before;
  const Observation seen = Observe([](Recorder& sink) {
    Install(SIGUSR1, [](int) {
      Print("leaving\n");
      siglongjmp(before, 1);
    });
    Scope scope(&sink);
    if (sigsetjmp(before, 1) == 0) raise(SIGUSR1);
    const std::string many(100, 'x');
    for (int i = 0; i < 1000; ++i) puts(many.c_str());  // more than a handler could print
  });
  EXPECT_EQ(seen.captured().size(), 1001u);
  EXPECT_EQ(seen.out, "");
}

TEST(SignalHandlers, MayRunOnAStackOfTheirOwn) {
  const Observation seen = Observe([](Recorder& sink) {
    const size_t size = 64 << 10;
    const auto memory = std::make_unique<char[]>(size);
    stack_t stack{};
    stack.ss_sp = memory.get();
    stack.ss_size = size;
    sigaltstack(&stack, nullptr);
    Install(
        SIGUSR1, [](int) { Print("from the other stack\n"); }, SA_ONSTACK);
    Scope scope(&sink);
    raise(SIGUSR1);
    puts("after");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
  });
  EXPECT_THAT(seen.captured(), ElementsAre(Out("from the other stack"), Out("after")));
}

// The program sees its own handlers, not the library's.
TEST(SignalHandlers, AreGivenBackAsTheProgramSetThem) {
  const Observation seen = Observe([](Recorder&) {
    const auto first = [](int) {};
    const auto second = [](int) { Print("second\n"); };
    Require(signal(SIGUSR1, first) == SIG_DFL, "signal() tells the default");
    Require(signal(SIGUSR1, second) == +first, "signal() tells the handler before");
    struct sigaction action {};
    sigaction(SIGUSR1, nullptr, &action);
    Require(action.sa_handler == +second, "sigaction() tells the handler");
    Require(signal(SIGKILL, first) == SIG_ERR, "what cannot be handled is refused");
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    Require(signal(SIGUSR1, SIG_DFL) == SIG_IGN, "signal() tells that it was ignored");
  });
  EXPECT_EQ(seen.out, "second\n");
}

std::atomic<int> handled = 0;

// Handlers that interrupt printing, allocating and the sink, on several threads at once: nothing
// hangs, and every line of every thread and of every handler arrives whole.
TEST(SignalHandlers, MayInterruptAnything) {
  constexpr int kThreads = 4;
  constexpr int kLines = 3000;
  const Observation seen = ObserveSinks(kThreads, [](std::deque<Recorder>& sinks) {
    Install(SIGUSR1, [](int) {
      Print("handler\n");
      ++handled;
    });
    std::latch opened(kThreads);
    sem_t over;  // in which a sanitizer lets handlers run
    sem_init(&over, 0, 0);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Scope scope(&sinks[static_cast<size_t>(t)]);
        opened.count_down();
        for (int i = 0; i < kLines; ++i) printf("line %d\n", i);
        while (sem_wait(&over) != 0) {
        }
      });
    }
    opened.wait();
    for (int i = 0; i < 2000; ++i) {
      // One at a time for each thread: more than its ring holds would go to the real stdout.
      pthread_kill(threads[static_cast<size_t>(i % kThreads)].native_handle(), SIGUSR1);
      while (handled.load() <= i) std::this_thread::yield();
    }
    for (int t = 0; t < kThreads; ++t) sem_post(&over);
    for (std::thread& thread : threads) thread.join();
  });
  size_t from_handlers = 0;
  for (const std::vector<Record>& records : seen.sinks) {
    int next = 0;
    for (const Record& record : records) {
      if (record.text == "handler") {
        ++from_handlers;
      } else {
        EXPECT_EQ(record.text, "line " + std::to_string(next++));
      }
    }
    EXPECT_EQ(next, kLines);
  }
  // Threads that are silent at the end have theirs taken by the library's own thread, up to what a
  // ring holds; what does not fit is not lost, but goes to the real stdout.
  size_t real = 0;
  for (size_t at = 0; (at = seen.out.find("handler\n", at)) != std::string::npos; ++at) ++real;
  EXPECT_EQ(from_handlers + real, 2000u);
  EXPECT_EQ(seen.out.size(), real * 8);
}

}  // namespace
}  // namespace jobtail::capture
