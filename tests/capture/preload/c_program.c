// A C program that finds the C API at run time, as one that was not linked with it has to.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "capture/c_api.h"

static void Show(void* context, const jobtail_capture_line* line) {
  printf("%s: %d %d %.*s\n", (const char*)context, line->stream, line->ending, (int)line->size,
         line->text);
}

static void* PrintOnThread(void* unused) {
  puts("thread");
  return NULL;
}

int main(void) {
  jobtail_capture* (*begin)(jobtail_capture_callback, void*) = NULL;
  int (*end)(jobtail_capture*) = NULL;
  *(void**)&begin = dlsym(RTLD_DEFAULT, "jobtail_capture_begin");
  *(void**)&end = dlsym(RTLD_DEFAULT, "jobtail_capture_end");
  if (!begin || !end) return 2;

  puts("before");
  jobtail_capture* const capture = begin(Show, "captured");
  printf("%d and ", 1);
  puts("printf");
  fputs("error\n", stderr);
  pthread_t thread;
  pthread_create(&thread, NULL, PrintOnThread, NULL);
  pthread_join(thread, NULL);
  fputs("unfinished", stdout);
  if (end(capture) != 0) return 3;
  puts("after");
  return 0;
}
