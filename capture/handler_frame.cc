// Whether a thread is in a signal handler.

#include "capture/handler_frame.h"

#include "capture/current.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {

HandlerFrame::HandlerFrame() { ++current.handlers; }

// After a longjmp out of a handler inside this one, all have been left.
HandlerFrame::~HandlerFrame() {
  if (current.handlers > 0) --current.handlers;
}

bool IsInHandler() { return current.handlers > 0; }

void LeaveHandlers() {
  if (current.handlers == 0) return;
  current.handlers = 0;
  if (current.thread && current.thread->IsInside()) {
    current.thread->Abandon();
    current.thread = nullptr;
  }
}

}  // namespace jobtail::capture::internal
