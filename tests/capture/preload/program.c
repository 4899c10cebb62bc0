// A program that knows nothing of jobtail and is linked with nothing. Its argument tells what to
// do.

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void* Count(void* name) {
  for (int i = 1; i <= 200; ++i) {
    printf("%s ", (const char*)name);
    fputs("counts ", stdout);
    printf("%d\n", i);
    if (i % 50 == 0) fprintf(stderr, "%s warns %d\n", (const char*)name, i);
  }
  return NULL;
}

// Two threads and the main one print in pieces at the same time.
static void Threads(void) {
  pthread_t threads[2];
  puts("main begins");
  pthread_create(&threads[0], NULL, Count, "left");
  pthread_create(&threads[1], NULL, Count, "right");
  pthread_setname_np(threads[1], "rightmost");
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  puts("main ends");
}

static void* NameItself(void* name) {
  pthread_setname_np(pthread_self(), name);
  puts("hello");
  return NULL;
}

static void NamedThread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, NameItself, "worker");
  pthread_join(thread, NULL);
}

static void* ExitInTheMiddle(void* unused) {
  fputs("the end", stdout);
  exit(3);
}

// What is unfinished on either thread is not lost.
static void ExitFromThread(void) {
  pthread_t thread;
  fputs("main waits", stdout);
  pthread_create(&thread, NULL, ExitInTheMiddle, NULL);
  pthread_join(thread, NULL);
}

static void SayBye(void) { puts("from atexit"); }

static void AtExit(void) {
  atexit(SayBye);
  fputs("from main\nand unfinished: ", stdout);
}

// As daemons do; then the lowest numbers and all the others are somebody else's.
static void CloseAll(const char* other) {
  puts("before");
  for (int fd = 3; fd < 256; ++fd) close(fd);
  const int file = open(other, O_WRONLY | O_CREAT | O_APPEND, 0666);
  for (int fd = 3; fd < 256; ++fd) dup2(file, fd);
  puts("after");
}

static void Fork(void) {
  puts("parent begins");
  fputs("unfinished", stdout);
  const pid_t child = fork();
  if (child == 0) {
    puts("child");
    fflush(stdout);
    exit(0);
  }
  waitpid(child, NULL, 0);
  puts(" is finished");
}

// A program that is not there does not take this one's place.
static void FailToExec(const char* other) {
  const int file = open(other, O_WRONLY | O_CREAT | O_APPEND, 0666);
  fputs("before, ", stdout);
  dup2(file, 1);
  execl("/no/such/program", "program", "argument", NULL);
  puts("redirected");
  fputs("to the log\n", stderr);
}

// An open line of one stream, and one of the other.
static void Mixed(void) {
  fputs("half of a line", stdout);
  fflush(stdout);
  fputs("an error\n", stderr);
  fputs(" and the other half\n", stdout);
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "threads") == 0) Threads();
  if (strcmp(what, "named") == 0) NamedThread();
  if (strcmp(what, "exit") == 0) ExitFromThread();
  if (strcmp(what, "atexit") == 0) AtExit();
  if (strcmp(what, "close") == 0) CloseAll(argv[2]);
  if (strcmp(what, "fork") == 0) Fork();
  if (strcmp(what, "exec") == 0) FailToExec(argv[2]);
  if (strcmp(what, "mixed") == 0) Mixed();
  return 0;
}
