// All threads of a program, captured from their start to their end.

#include "capture/preload/threads.h"

#include <pthread.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "capture/current.h"
#include "capture/preload/real_outputs.h"
#include "capture/preload/thread_log.h"
#include "capture/preload/thread_start.h"
#include "capture/scope.h"
#include "capture/session.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::preload {
namespace {

using internal::current;
using internal::Session;
using internal::ThreadCapture;

// One thread's log and the scope that leads to it. Lives and dies on that thread.
class CapturedThread {
 public:
  explicit CapturedThread(const Settings& settings);
  ~CapturedThread();

  CapturedThread(const CapturedThread&) = delete;
  CapturedThread& operator=(const CapturedThread&) = delete;

 private:
  const std::shared_ptr<ThreadLog> log_;
  const Scope scope_;
};

// Those that are at work, for whoever ends the process.
class Register {
 public:
  // Never destroyed: threads go on while the process ends.
  static Register& Get() {
    static auto* const all = new Register;
    return *all;
  }

  void Add(std::shared_ptr<ThreadLog> log, std::shared_ptr<Session> session) {
    std::lock_guard lock(mutex_);
    entries_.push_back({std::move(log), std::move(session)});
  }

  void Remove(const ThreadLog* log) {
    std::lock_guard lock(mutex_);
    std::erase_if(entries_, [=](const Entry& entry) { return entry.log.get() == log; });
  }

  void CloseAll() {
    std::vector<Entry> entries;
    {
      std::lock_guard lock(mutex_);
      entries = entries_;
    }
    for (const Entry& entry : entries) entry.session->Close();
  }

 private:
  struct Entry {
    std::shared_ptr<ThreadLog> log;
    std::shared_ptr<Session> session;
  };

  std::mutex mutex_;
  std::vector<Entry> entries_;
};

const Settings* wanted = nullptr;  // null: threads are not captured by themselves

// The capture that CapturedThread gave to this thread.
constinit thread_local const ThreadCapture* own_capture = nullptr;
thread_local std::unique_ptr<CapturedThread> captured_thread;

CapturedThread::CapturedThread(const Settings& settings)
    : log_(std::make_shared<ThreadLog>(settings)),
      scope_(log_.get(), {.child_processes = false, .replace_stdio = true}) {
  own_capture = current.thread;
  Register::Get().Add(log_, current.thread->shared_session());
}

CapturedThread::~CapturedThread() {
  own_capture = nullptr;
  Register::Get().Remove(log_.get());
}

// --- fork
//
// A scope's child processes print into pipes to the scope. Here they keep the real outputs: a
// program that is started reads the same settings, and a daemon, whose parent ends at once, must
// not depend on it. So the library is told that this thread is not captured while it forks. The
// child itself prints to the real outputs: it has one thread, and whatever locks others held stay
// locked.

// What the thread that is in fork() is captured by; null if that is a scope of the C API, or
// nothing.
constinit thread_local ThreadCapture* forking = nullptr;

void BeforeFork() {
  forking = wanted && own_capture && current.thread == own_capture ? current.thread : nullptr;
  if (forking) current.thread = nullptr;
}

void AfterForkInParent() {
  if (forking) current.thread = forking;
}

void AfterForkInChild() {
  wanted = nullptr;
  if (forking && forking->session().HasRedirections()) {
    RealOutputs().Redirect(forking->session().redirection());
  }
}

}  // namespace

void CaptureAllThreads(const Settings& settings) {
  wanted = new Settings(settings);
  internal::captures_to_the_end = true;
  // Not captured_thread, which exit() would destroy: the main thread's static destructors are to be
  // captured, too.
  new CapturedThread(*wanted);
  // After the library's own handlers, so that the first of these comes before and the others after.
  pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
}

void EndAllThreads() {
  if (!wanted) return;
  Register::Get().CloseAll();
}

bool CapturesNewThreads() {
  return wanted && own_capture && current.thread == own_capture && !own_capture->IsInside();
}

void CaptureNewThread() {
  if (wanted) captured_thread = std::make_unique<CapturedThread>(*wanted);
}

}  // namespace jobtail::capture::preload
