/* Capture for programs that are not written in C++: the functions of libjobtail_capture.so, to be
 * declared by a C program or looked up (dlsym, ctypes, JNA ...) in one that was started with
 *
 *   LD_PRELOAD=libjobtail_capture.so PROGRAM ...
 *
 * A library that is merely loaded by name into a running program catches nothing: its functions
 * would come after the C library's. The static library has the same functions.
 *
 *   static void show(void* context, const jobtail_capture_line* line) {
 *     fprintf(context, "captured: %.*s\n", (int)line->size, line->text);
 *   }
 *   jobtail_capture* capture = jobtail_capture_begin(show, file);
 *   puts("hello");
 *   jobtail_capture_end(capture);
 */
#ifndef JOBTAIL_CAPTURE_C_API_H_
#define JOBTAIL_CAPTURE_C_API_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* C, not C++. NOLINTBEGIN(modernize-use-using, readability-identifier-naming) */

/* How a line ended: what was printed is its text followed by the terminator named here. */
enum jobtail_capture_ending {
  JOBTAIL_CAPTURE_LF = 1,   /* "\n" */
  JOBTAIL_CAPTURE_CR = 2,   /* "\r": on a terminal the next line overwrites this one */
  JOBTAIL_CAPTURE_NONE = 3, /* nothing yet: flushed; the next line of the stream continues it */
  JOBTAIL_CAPTURE_SPLIT = 4 /* nothing: longer than 64 KiB; the next line continues it */
};

/* A piece of output: a line of text, or a part of one. */
typedef struct jobtail_capture_line {
  int32_t stream;          /* 1: stdout, 2: stderr */
  int32_t ending;          /* enum jobtail_capture_ending */
  int64_t time_unix_nanos; /* when the line was completed, by the system's clock */
  const char* text;        /* `size` bytes of any value, without terminator, and no 0 after them */
  size_t size;
} jobtail_capture_line;

/* Receives a line; it and its text are valid during the call only. Called by the threads that
 * print, while they print: by several at once if a captured thread has started others, and by
 * jobtail_capture_end for what is unfinished. What child processes print may come on a thread of
 * the library. May block, which holds up that thread; must return (no exception, no longjmp). What
 * it prints itself goes to the real descriptors. */
typedef void (*jobtail_capture_callback)(void* context, const jobtail_capture_line* line);

/* A capture that is under way. */
typedef struct jobtail_capture jobtail_capture;

/* From here on, what the calling thread and the threads that it starts print goes to `callback`,
 * with `context`, and nowhere else. Captures of one thread nest: the inner one wins, and the outer
 * one resumes after it. NULL with errno = EINVAL if there is no callback, ENOMEM if there is no
 * memory. Text without a newline is handed on when it is flushed, or when its line, its thread or
 * the capture ends. */
__attribute__((visibility("default"))) jobtail_capture* jobtail_capture_begin(
    jobtail_capture_callback callback, void* context);

/* Hands on what is unfinished, waits for calls of the callback that are under way on other threads,
 * and frees `capture`. Returns 0; or an error number, and then nothing has happened: EINVAL if
 * `capture` is NULL, EPERM if another thread began it, EBUSY if a capture that was begun later on
 * this thread has not ended yet. */
__attribute__((visibility("default"))) int jobtail_capture_end(jobtail_capture* capture);

/* NOLINTEND(modernize-use-using, readability-identifier-naming) */

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* JOBTAIL_CAPTURE_C_API_H_ */
