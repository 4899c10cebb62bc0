// The thread-local state of capture: what the library knows of the calling thread.
#ifndef JOBTAIL_CAPTURE_CURRENT_H_
#define JOBTAIL_CAPTURE_CURRENT_H_

#include <stdio.h>

namespace jobtail::capture::internal {

class ThreadCapture;

// What the library knows of the calling thread. Trivial, so that it can be read at any moment of a
// thread's life and in signal handlers; with the model that needs no call.
struct Current {
  // Where its output goes; null for the real descriptors.
  ThreadCapture* thread = nullptr;
  // How many signal handlers run on it, one inside the other; see handler_frame.h.
  int handlers = 0;
  // What it prints goes both ways: the last words of a process.
  bool both = false;
  // It does not share the process's descriptors, see Options::private_descriptors: these are the
  // real ones.
  const struct RealOutput* real = nullptr;
  // The session that it belonged to until its thread_local objects were destroyed; not to be
  // followed, it may be gone.
  const void* last_session = nullptr;
};

// Copies of the process's descriptors 1 and 2 in another descriptor table, and streams that write
// to them without a buffer.
struct RealOutput {
  int fds[2] = {-1, -1};
  FILE* files[2] = {nullptr, nullptr};
};

extern constinit thread_local Current current __attribute__((tls_model("initial-exec")));

// Whether a thread that calls exit() is captured until the process has ended, its sink being there
// for so long: the preloaded library's are.
extern constinit bool captures_to_the_end;

// While it lives, this thread prints to the real descriptors: around what the library itself does
// outside of a ThreadCapture.
class Bypass {
 public:
  Bypass() : saved_(current.thread) { current.thread = nullptr; }
  ~Bypass() { current.thread = saved_; }
  Bypass(const Bypass&) = delete;
  Bypass& operator=(const Bypass&) = delete;

 private:
  ThreadCapture* const saved_;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_CURRENT_H_
