// The mark of a thread that runs a signal handler, and of one that leaves it by longjmp.
#ifndef JOBTAIL_CAPTURE_HANDLER_FRAME_H_
#define JOBTAIL_CAPTURE_HANDLER_FRAME_H_

namespace jobtail::capture::internal {

// Says that the calling thread runs a signal handler, for as long as it lives. Async-signal-safe.
class HandlerFrame {
 public:
  HandlerFrame();
  ~HandlerFrame();
  HandlerFrame(const HandlerFrame&) = delete;
  HandlerFrame& operator=(const HandlerFrame&) = delete;
};

// Whether the calling thread runs a signal handler.
bool IsInHandler();

// The thread is about to leave its handlers by longjmp. If one has interrupted the library at work
// for this thread, or the sink, that call will never end: then no more is captured of the thread.
void LeaveHandlers();

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_HANDLER_FRAME_H_
