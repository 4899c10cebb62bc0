// pthread_create and thrd_create: a thread that a captured thread starts is captured as well.

#include <pthread.h>
#include <threads.h>

#include "capture/inherit.h"
#include "capture/interpose.h"

namespace jobtail::capture::internal {

void LinkThreads() {}

JOBTAIL_INTERPOSE(int, pthread_create,
                  (pthread_t * thread, const pthread_attr_t* attributes, void* (*routine)(void*),
                   void* argument)) {
  return CreateInheriting(thread, attributes, routine, argument);
}

JOBTAIL_INTERPOSE(int, thrd_create, (thrd_t * thread, thrd_start_t routine, void* argument)) {
  return CreateInheriting(thread, routine, argument);
}

}  // namespace jobtail::capture::internal
