// pthread_create: a thread that a captured thread starts is captured as well.

#include <pthread.h>

#include <memory>
#include <utility>

#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

using Routine = void*(void*);

struct Start {
  std::shared_ptr<Session> session;
  Routine* routine;
  void* argument;
};

// Owns the started thread's capture. Made before anything else runs on the thread, hence destroyed
// after its other thread_local objects, whose destructors may still print.
class ThreadOwner {
 public:
  void Begin(std::shared_ptr<Session> session) {
    thread_ = std::make_unique<ThreadCapture>(std::move(session));
    current_thread = thread_.get();
  }
  ~ThreadOwner() { current_thread = nullptr; }

 private:
  std::unique_ptr<ThreadCapture> thread_;
};

thread_local ThreadOwner thread_owner;

void* RunCaptured(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  thread_owner.Begin(std::move(start->session));
  return start->routine(start->argument);
}

}  // namespace

void LinkThreads() {}

JOBTAIL_INTERPOSE(int, pthread_create,
                  (pthread_t * thread, const pthread_attr_t* attributes, Routine* routine,
                   void* argument)) {
  const auto real =
      Real<"pthread_create", int(pthread_t*, const pthread_attr_t*, Routine*, void*)>();
  if (!current_thread) return real(thread, attributes, routine, argument);
  auto start = std::make_unique<Start>(Start{current_thread->session(), routine, argument});
  const int error = real(thread, attributes, RunCaptured, start.get());
  if (error == 0) static_cast<void>(start.release());  // RunCaptured's now
  return error;
}

}  // namespace jobtail::capture::internal
