// pthread_cancel: a captured thread is cancelled while it runs the program's code, not while it is
// in the library or in its sink. What it prints is a point of cancellation.

#include <pthread.h>

#include "capture/cancellation.h"
#include "capture/current.h"
#include "capture/flusher.h"
#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {

void LinkCancellation() {}

JOBTAIL_INTERPOSE(int, pthread_cancel, (pthread_t thread)) {
  Cancellation::Use();
  AsymmetricBarrier::Heavy();
  const bool later = pthread_equal(thread, pthread_self())
                         ? current.thread && current.thread->CancelWhenOutside()
                         : Flusher::Get().CancelWhenOutside(thread);
  return later ? 0 : Real<"pthread_cancel", int(pthread_t)>()(thread);
}

}  // namespace jobtail::capture::internal
