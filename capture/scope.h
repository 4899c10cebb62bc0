#ifndef JOBTAIL_CAPTURE_SCOPE_H_
#define JOBTAIL_CAPTURE_SCOPE_H_

#include <memory>

#include "capture/sink.h"

namespace jobtail::capture {

namespace internal {
class Session;
class ThreadCapture;
}  // namespace internal

// While it lives, what the thread that made it prints goes to `sink`, whole lines at a time:
//
//   MySink sink;
//   {
//     jobtail::capture::Scope scope(&sink);
//     std::cout << "to the sink" << std::endl;
//     printf("this, too, from whatever library\n");
//   }
//   std::cout << "to the real stdout" << std::endl;
//
// Captured are std::cout, cerr and clog; the functions of <stdio.h> on stdout and stderr; write and
// writev on descriptors 1 and 2; called from the program or from any shared library. Threads that a
// captured thread starts are captured, too, each with line buffers of its own, so that lines never
// mix. Threads that no scope covers are not affected: their calls go straight to the C library.
//
// Scopes nest: the inner one wins, and the outer one resumes after it. A scope ends on the thread
// that made it. Its end hands on every thread's unfinished line and waits for calls of the sink
// that are under way; a thread that outlives the scope goes on printing to the real descriptors.
//
// In the child of a fork() nothing is captured, nor is what std::terminate says. Not seen are calls
// that never leave the C library or are inlined from its headers (assert, putc_unlocked and
// putchar_unlocked in optimised code, the wide functions, err and warn), child processes and raw
// system calls. A signal handler that writes to descriptor 1 or 2 on a captured thread takes locks.
class Scope {
 public:
  // `sink` must outlive the scope.
  explicit Scope(Sink* sink);
  ~Scope();

  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  std::shared_ptr<internal::Session> session_;
  std::unique_ptr<internal::ThreadCapture> thread_;
  internal::ThreadCapture* previous_;
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_SCOPE_H_
