// The handling of Ctrl-C and SIGTERM by a thread that takes the signals.
#ifndef JOBTAIL_CLIENT_CLI_INTERRUPTS_H_
#define JOBTAIL_CLIENT_CLI_INTERRUPTS_H_

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace jobtail::client::cli {

// What Ctrl-C (SIGINT) and SIGTERM do while this exists. One at most, made by the thread that
// prints, before there is any other thread: they all inherit the signal mask.
//
// The signals are blocked and taken by a thread of their own, so that what they do is ordinary
// code. The first calls the handler in that thread. The second ends the process there and then,
// with exit code 128 + its number. A signal that the process was started to ignore, as a shell does
// for a command in the background, stays ignored.
class Interrupts {
 public:
  using Handler = std::function<void(int signal)>;

  // Until there is a handler, the first signal already ends the process.
  Interrupts();
  ~Interrupts();

  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // What the first signal does from now on. Not called while the former handler runs; that is
  // waited for. An empty handler is none.
  void SetHandler(Handler handler) ABSL_LOCKS_EXCLUDED(mutex_);

  // For a handler: asks the printing thread to end what it does. Sets `stop()`, and interrupts that
  // thread's system calls until the process has ended, at most two seconds; then ends it.
  void Stop(int signal);

  // Whether, and for which signal, Stop() was called.
  const std::atomic<bool>& stop() const { return stop_; }
  int signal() const { return signal_; }

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Handle(int signal) ABSL_LOCKS_EXCLUDED(mutex_);
  int Wait();
  [[noreturn]] static void Leave(int signal);

  const pthread_t printing_thread_;
  sigset_t signals_;
  sigset_t former_mask_;
  std::atomic<bool> done_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<int> signal_ = 0;

  absl::Mutex mutex_;
  Handler handler_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_INTERRUPTS_H_
