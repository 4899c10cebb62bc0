// The life of a scope: a thread is captured, and let go.

#include "capture/scope.h"

#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include "capture/barrier.h"
#include "capture/cancellation.h"
#include "capture/clock.h"
#include "capture/cout_router.h"
#include "capture/flusher.h"
#include "capture/interpose.h"
#include "capture/interposition.h"
#include "capture/private_descriptors.h"
#include "capture/replaced_stdio.h"
#include "capture/session.h"
#include "capture/stream_state.h"
#include "capture/thread_capture.h"

namespace jobtail::capture {

using internal::Bypass;
using internal::current;
using internal::Flusher;
using internal::PrivateDescriptors;
using internal::Session;
using internal::ThreadCapture;

namespace {

// A sink that is a static object may be destroyed after this, and the C++ library flushes its
// streams at the very end.
void EndAtExit() {
  if (internal::captures_to_the_end || !current.thread) return;
  ThreadCapture* const thread = current.thread;
  thread->Close();
  current.thread = nullptr;
}

void PrepareOnce() {
  if (const char* const problem = InterpositionProblem()) {
    internal::WriteToReal(Stream::kStderr, std::string(problem) + "\n");
  }
  internal::LinkStdio();
  internal::LinkWide();
  internal::LinkDescriptors();
  internal::LinkFiles();
  internal::LinkMemory();
  internal::LinkMessages();
  internal::LinkThreads();
  internal::LinkRedirected();
  internal::LinkOpenMp();
  internal::LinkSignals();
  internal::LinkVfork();
  internal::LinkSyscall();
  internal::LinkCancellation();
  internal::LinkProcesses();
  atexit(EndAtExit);
  internal::AsymmetricBarrier::Prepare();
  internal::TickClock::Prepare();
  // Why the process ends is also for whoever sees its end: a sink may go down with it.
  static const std::terminate_handler before = std::get_terminate();
  std::set_terminate([] {
    current.both = true;
    before();
  });
}

std::shared_ptr<Session> Open(Sink* sink, const Options& options) {
  const internal::NoCancellation no_cancellation;
  Bypass bypass;
  static std::once_flag prepared;
  std::call_once(prepared, PrepareOnce);
  internal::RouteUnsyncedStreams();
  internal::BeginStreamState();
  auto session = std::make_shared<Session>(sink, options.child_processes);
  Flusher::Get().Add(session);
  return session;
}

// The session's end, when its scope's own thread is closed.
void Close(Session& session) {
  session.Close();
  Flusher::Get().Remove(&session);
  internal::EndStreamState();
  internal::RestoreUnsyncedStreams();
}

std::unique_ptr<PrivateDescriptors> MakePrivate(const Options& options,
                                                const std::shared_ptr<Session>& session) {
  if (!options.private_descriptors) return nullptr;
  const internal::NoCancellation no_cancellation;
  try {
    return std::make_unique<PrivateDescriptors>(session);
  } catch (...) {
    Close(*session);
    throw;
  }
}

}  // namespace

Scope::Scope(Sink* sink, const Options& options)
    : session_(Open(sink, options)),
      thread_(std::make_unique<ThreadCapture>(session_)),
      previous_(current.thread),
      private_(MakePrivate(options, session_)),
      replaced_stdio_(options.replace_stdio) {
  if (replaced_stdio_) internal::ReplaceStdio();
  current.thread = thread_.get();
}

Scope::~Scope() {
  const internal::NoCancellation no_cancellation;
  const bool is_foreign = thread_->IsFromBeforeFork();
  if (is_foreign) {
    static_cast<void>(private_.release());
  } else {
    private_.reset();
  }
  ThreadCapture::End(std::move(thread_), previous_);
  if (is_foreign) {
    new std::shared_ptr<Session>(std::move(session_));
    return;
  }
  Close(*session_);
  if (replaced_stdio_) internal::RestoreStdio();
}

}  // namespace jobtail::capture
