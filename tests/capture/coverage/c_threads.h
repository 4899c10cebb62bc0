// The functions of c_threads.c, which print on threads that C code starts.
#ifndef JOBTAIL_TESTS_CAPTURE_COVERAGE_C_THREADS_H_
#define JOBTAIL_TESTS_CAPTURE_COVERAGE_C_THREADS_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Written in C: each starts a thread, which prints `text` as a line to stdout, and waits for it.
   Zero on success. */
int print_on_pthread(const char* text);
int print_on_c11_thread(const char* text);

#ifdef __cplusplus
}
#endif

#endif /* JOBTAIL_TESTS_CAPTURE_COVERAGE_C_THREADS_H_ */
