// Scopes and contexts for other languages.

#include "capture/c_api.h"

#include <errno.h>
#include <pthread.h>

#include <new>

#include "capture/scope.h"

namespace jobtail::capture {
namespace {

class CallbackSink : public Sink {
 public:
  CallbackSink(jobtail_capture_callback callback, void* context)
      : callback_(callback), context_(context) {}

  void Write(std::span<const Line> lines) noexcept override {
    for (const Line& line : lines) {
      const jobtail_capture_line c_line = {
          .stream = static_cast<int32_t>(line.stream),
          .ending = static_cast<int32_t>(line.ending),
          .time_unix_nanos = line.time_unix_nanos,
          .text = line.text.data(),
          .size = line.text.size(),
      };
      callback_(context_, &c_line);
    }
  }

  // A callback may need a lock of its language's that a thread holds while it prints (Python's
  // GIL). A thread that called it from elsewhere, keeping the printing one waiting, would never
  // get it.
  bool TryWrite(std::span<const Line> lines) noexcept override { return false; }

 private:
  const jobtail_capture_callback callback_;
  void* const context_;
};

}  // namespace
}  // namespace jobtail::capture

struct jobtail_capture {
  jobtail_capture(jobtail_capture_callback callback, void* context, jobtail_capture* outside)
      : thread(pthread_self()), outer(outside), sink(callback, context), scope(&sink) {}

  const pthread_t thread;
  jobtail_capture* const outer;
  jobtail::capture::CallbackSink sink;
  jobtail::capture::Scope scope;
};

namespace {

constinit thread_local jobtail_capture* innermost = nullptr;

}  // namespace

jobtail_capture* jobtail_capture_begin(jobtail_capture_callback callback, void* context) {
  if (!callback) return errno = EINVAL, nullptr;
  try {
    return innermost = new jobtail_capture(callback, context, innermost);
  } catch (const std::bad_alloc&) {
    return errno = ENOMEM, nullptr;
  }
}

int jobtail_capture_end(jobtail_capture* capture) {
  if (!capture) return EINVAL;
  if (!pthread_equal(capture->thread, pthread_self())) return EPERM;
  if (capture != innermost) return EBUSY;
  innermost = capture->outer;
  delete capture;
  return 0;
}
