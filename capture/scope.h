// The public way to capture: a scope on a thread, and the options of what it is to catch.
#ifndef JOBTAIL_CAPTURE_SCOPE_H_
#define JOBTAIL_CAPTURE_SCOPE_H_

#include <memory>

#include "capture/sink.h"

namespace jobtail::capture {

namespace internal {
class Session;
class ThreadCapture;
class PrivateDescriptors;
}  // namespace internal

// What a scope is to catch. The last two go beyond what calls of the C library's functions tell;
// each has a price, hence neither is on by default. docs/capture.md has the whole table.
struct Options {
  // Captures child processes, too, through pipes that this process reads. Without it they print to
  // what this process's descriptors lead to, also after it has ended.
  bool child_processes = true;

  // Gives the thread file descriptors of its own, of which 1 and 2 are pipes to the sink, so that
  // system calls made without the C library are caught too: from inline assembly, io_uring, Go, or
  // a library that is bound to the C library directly (RTLD_DEEPBIND).
  //
  // Price: the thread keeps descriptors of its own for the rest of its life, also after the scope.
  // What other threads open from then on is not visible to it and the other way round, and its
  // copies keep files and connections open that others have closed. Only for a thread that was
  // made for the scope. What comes through the pipes arrives a little later, and without the order
  // between stdout and stderr. Where the system refuses it (unshare(CLONE_FILES), for which some
  // containers ask for CAP_SYS_ADMIN), Scope's constructor throws std::system_error.
  bool private_descriptors = false;

  // Puts streams of the library's own into the variables `stdout` and `stderr`, for the whole
  // program and while any such scope lives, so that printing that happens inside the C library or
  // is inlined from its headers is caught too: putc_unlocked in optimised code, getopt's messages,
  // printf in a library that was opened with RTLD_DEEPBIND.
  //
  // Price: threads without a scope come through those streams, too, for such calls; they cost some
  // 50 ns more each, and reach the real streams unchanged.
  bool replace_stdio = false;
};

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
// Captured are the C++ streams, the functions of <stdio.h> and <wchar.h>, and system calls on
// descriptors 1 and 2 and their copies; called from the program or from any shared library.
// docs/capture.md lists them all, and what is not caught. Threads that a captured thread starts are
// captured, too, each with line buffers of its own, so that lines never mix; so are its child
// processes, through pipes. Threads that no scope covers are not affected: their calls go straight
// to the C library. A thread that was there before is covered with a Context.
//
// Scopes nest: the inner one wins, and the outer one resumes after it. A scope ends on the thread
// that made it; anything else is a mistake that ends the process with a message. Its end hands on
// every thread's unfinished line and waits for calls of the sink that are under way; a thread or a
// process that outlives the scope goes on printing to the real descriptors.
//
// What is printed in a signal handler is handed on after the handler has returned.
class Scope {
 public:
  // `sink` must outlive the scope.
  explicit Scope(Sink* sink, const Options& options = {});
  ~Scope();

  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  std::shared_ptr<internal::Session> session_;
  std::unique_ptr<internal::ThreadCapture> thread_;
  internal::ThreadCapture* previous_;
  std::unique_ptr<internal::PrivateDescriptors> private_;
  bool replaced_stdio_;
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_SCOPE_H_
