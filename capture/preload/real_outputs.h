// The saved stdout and stderr of a process, and their return.
#ifndef JOBTAIL_CAPTURE_PRELOAD_REAL_OUTPUTS_H_
#define JOBTAIL_CAPTURE_PRELOAD_REAL_OUTPUTS_H_

#include <array>

#include "capture/redirection.h"

namespace jobtail::capture::preload {

// The descriptors 1 and 2 of the process, as they were when this object was made. Restore() brings
// them back. Async-signal-safe.
class RealOutputs {
 public:
  RealOutputs();
  ~RealOutputs();

  RealOutputs(const RealOutputs&) = delete;
  RealOutputs& operator=(const RealOutputs&) = delete;

  // Makes real what a captured thread has redirected, of which only its session knows: for a
  // process that has no other thread, or will have none.
  void Redirect(const internal::Redirection& redirection) const;
  void Restore() const;

 private:
  std::array<int, 2> saved_;
};

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_REAL_OUTPUTS_H_
