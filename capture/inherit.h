// The inheritance of capture by threads that a captured thread starts.
#ifndef JOBTAIL_CAPTURE_INHERIT_H_
#define JOBTAIL_CAPTURE_INHERIT_H_

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <threads.h>

#include <memory>
#include <utility>

#include "capture/pump.h"
#include "capture/real.h"
#include "capture/session.h"
#include "capture/thread_capture.h"

// Threads that a captured thread starts are captured as well.

namespace jobtail::capture::internal {

template <typename Result>
struct Start {
  using Routine = Result(void*);

  std::shared_ptr<Session> session;
  std::shared_ptr<Pump>
      pump;  // of the descriptor table that the threads share; null: the process's
  Routine* routine;
  void* argument;
};

// Owns the started thread's capture. Made before anything else runs on the thread, hence destroyed
// after its other thread_local objects, whose destructors may still print.
class ThreadOwner {
 public:
  void Begin(std::shared_ptr<Session> session) {
    thread_ = std::make_unique<ThreadCapture>(std::move(session));
    current.thread = thread_.get();
  }
  ~ThreadOwner() {
    if (!thread_) return;
    current.last_session = &thread_->session();
    ThreadCapture::End(std::move(thread_), nullptr);
  }

 private:
  std::unique_ptr<ThreadCapture> thread_;
};

inline thread_local ThreadOwner thread_owner;

template <typename Result>
Result RunCaptured(void* argument) {
  const std::unique_ptr<Start<Result>> start(static_cast<Start<Result>*>(argument));
  if (start->pump) Pump::SetOfThisThread(std::move(start->pump));
  thread_owner.Begin(std::move(start->session));
  return start->routine(start->argument);
}

// oneTBB's worker threads serve the whole process, whoever was the first to need them; see
// capture/tbb.h.
inline bool IsEverybodys(const void* routine) {
  Dl_info info;
  return dladdr(routine, &info) != 0 && info.dli_fname && strstr(info.dli_fname, "/libtbb.so");
}

// Starts a thread with `create` (routine, argument), captured if the caller is. `failed` tells
// whether a result of `create` means that there is no thread.
template <typename Result, typename Create, typename Failed>
int StartThread(Result (*routine)(void*), void* argument, Create create, Failed failed) {
  ThreadCapture* const thread = current.thread;
  if (!thread || thread->IsInside() || IsEverybodys(reinterpret_cast<const void*>(routine))) {
    return create(routine, argument);
  }
  auto start = std::make_unique<Start<Result>>(
      Start<Result>{thread->shared_session(), Pump::OwnOfThisThread(), routine, argument});
  const int result = create(RunCaptured<Result>, start.get());
  if (!failed(result)) static_cast<void>(start.release());  // RunCaptured's now
  return result;
}

// pthread_create and thrd_create of the C library, for a thread that is captured if the caller is.
inline int CreateInheriting(pthread_t* thread, const pthread_attr_t* attributes,
                            void* (*routine)(void*), void* argument) {
  const auto real =
      Real<"pthread_create", int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>();
  return StartThread<void*>(
      routine, argument,
      [=](void* (*run)(void*), void* with) { return real(thread, attributes, run, with); },
      [](int result) { return result != 0; });
}

inline int CreateInheriting(thrd_t* thread, thrd_start_t routine, void* argument) {
  const auto real = Real<"thrd_create", int(thrd_t*, thrd_start_t, void*)>();
  return StartThread<int>(
      routine, argument, [=](thrd_start_t run, void* with) { return real(thread, run, with); },
      [](int result) { return result != thrd_success; });
}

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_INHERIT_H_
