// Threads started from C, by pthreads and by C11's functions.

#include "tests/capture/coverage/c_threads.h"

#include <pthread.h>
#include <stdio.h>
#include <threads.h>

static void* print(void* text) {
  puts(text);
  return NULL;
}

int print_on_pthread(const char* text) {
  pthread_t thread;
  const int error = pthread_create(&thread, NULL, print, (void*)text);
  return error != 0 ? error : pthread_join(thread, NULL);
}

static int print_c11(void* text) { return puts(text) >= 0 ? 0 : 1; }

int print_on_c11_thread(const char* text) {
  thrd_t thread;
  int result = 0;
  if (thrd_create(&thread, print_c11, (void*)text) != thrd_success) return 1;
  return thrd_join(thread, &result) == thrd_success ? result : 1;
}
