#include "capture/scope.h"

#include <pthread.h>

#include <exception>
#include <mutex>
#include <utility>

#include "capture/cout_router.h"
#include "capture/flusher.h"
#include "capture/interpose.h"
#include "capture/session.h"

namespace jobtail::capture {

using internal::Bypass;
using internal::current_thread;
using internal::Flusher;

namespace {

void PrepareOnce() {
  internal::LinkStdio();
  internal::LinkDescriptors();
  internal::LinkThreads();
  // In a forked child the other threads are gone, whatever they held: what it prints goes to its
  // descriptors.
  // Why the process ends is for whoever sees its end: a sink may go down with it.
  static const std::terminate_handler before = std::get_terminate();
  std::set_terminate([] {
    current_thread = nullptr;
    before();
  });
  pthread_atfork(nullptr, nullptr, [] { current_thread = nullptr; });
}

std::shared_ptr<internal::Session> Open(Sink* sink) {
  Bypass bypass;
  static std::once_flag prepared;
  std::call_once(prepared, PrepareOnce);
  internal::RouteUnsyncedStreams();
  auto session = std::make_shared<internal::Session>(sink);
  Flusher::Get().Add(session);
  return session;
}

}  // namespace

Scope::Scope(Sink* sink)
    : session_(Open(sink)),
      thread_(std::make_unique<internal::ThreadCapture>(session_)),
      previous_(current_thread) {
  current_thread = thread_.get();
}

Scope::~Scope() {
  current_thread = nullptr;  // what the sink itself prints while it takes the rest is not ours
  session_->Close();
  Flusher::Get().Remove(session_.get());
  thread_.reset();
  current_thread = previous_;
}

}  // namespace jobtail::capture
