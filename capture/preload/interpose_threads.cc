// pthread_create and thrd_create, in the preloaded library: instead of those in
// capture/interpose_threads.cc, which is not linked.

#include <pthread.h>
#include <threads.h>

#include <memory>

#include "capture/inherit.h"
#include "capture/interpose.h"
#include "capture/preload/thread_start.h"

namespace jobtail::capture::internal {
namespace {

// Starts a thread with `create` (routine, argument) that writes down by itself what it prints.
template <typename Result, typename Create, typename Failed>
int StartLogged(Result (*routine)(void*), void* argument, Create create, Failed failed) {
  struct LoggedStart {
    Result (*routine)(void*);
    void* argument;
  };
  const auto run = [](void* given) -> Result {
    const LoggedStart start = *std::unique_ptr<LoggedStart>(static_cast<LoggedStart*>(given));
    preload::CaptureNewThread();
    return start.routine(start.argument);
  };
  auto start = std::make_unique<LoggedStart>(LoggedStart{routine, argument});
  const int result = create(+run, start.get());
  if (!failed(result)) static_cast<void>(start.release());  // the thread's now
  return result;
}

}  // namespace

void LinkThreads() {}

JOBTAIL_INTERPOSE(int, pthread_create,
                  (pthread_t * thread, const pthread_attr_t* attributes, void* (*routine)(void*),
                   void* argument)) {
  if (!preload::CapturesNewThreads()) {
    return CreateInheriting(thread, attributes, routine, argument);
  }
  const auto real =
      Real<"pthread_create", int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>();
  return StartLogged<void*>(
      routine, argument,
      [=](void* (*run)(void*), void* with) { return real(thread, attributes, run, with); },
      [](int result) { return result != 0; });
}

JOBTAIL_INTERPOSE(int, thrd_create, (thrd_t * thread, thrd_start_t routine, void* argument)) {
  if (!preload::CapturesNewThreads()) return CreateInheriting(thread, routine, argument);
  const auto real = Real<"thrd_create", int(thrd_t*, thrd_start_t, void*)>();
  return StartLogged<int>(
      routine, argument, [=](thrd_start_t run, void* with) { return real(thread, run, with); },
      [](int result) { return result != thrd_success; });
}

}  // namespace jobtail::capture::internal
