// Where a thread prints to, as a value that other threads can enter.

#include "capture/context.h"

#include "capture/session.h"
#include "capture/thread_capture.h"

namespace jobtail::capture {

using internal::current;
using internal::ThreadCapture;

Context Context::Current() {
  ThreadCapture* const thread = current.thread;
  return thread && !thread->IsInside() ? Context(thread->shared_session()) : Context();
}

const void* Context::LastScope() { return current.last_session; }

bool Context::Print(std::string_view text, Stream stream) const {
  if (!session_ || session_->HasEnded()) return false;
  const Entered entered(*this);
  ThreadCapture* const thread = current.thread;
  return thread && thread->Take(stream, text.data(), text.size());
}

void Context::End() const {
  if (session_) session_->Close();
}

Entered::Entered(const Context& context) : previous_(current.thread) {
  const auto& session = context.session_;
  if (!session || session->HasEnded()) return;
  // The same again: its line buffers are to be the same, too.
  if (previous_ && previous_->IsOpen() && previous_->shared_session() == session) return;
  thread_ = std::make_unique<ThreadCapture>(session);
  current.thread = thread_.get();
}

void Entered::Detach() {
  if (thread_) thread_->Close();
  detached_.store(true, std::memory_order_release);
}

Entered::~Entered() {
  if (thread_) ThreadCapture::End(std::move(thread_), previous_);
}

}  // namespace jobtail::capture
