// Descriptors 1 and 2 of one thread's own, for output that no C function is called for.
#ifndef JOBTAIL_CAPTURE_PRIVATE_DESCRIPTORS_H_
#define JOBTAIL_CAPTURE_PRIVATE_DESCRIPTORS_H_

#include <memory>

namespace jobtail::capture::internal {

class Pump;
class Session;

// While it lives, the calling thread's descriptors 1 and 2, and those of the threads that it
// starts, are pipes to the session. The thread keeps a descriptor table of its own for good. See
// Options::private_descriptors. Made and destroyed on the same thread.
class PrivateDescriptors {
 public:
  // Throws std::system_error.
  explicit PrivateDescriptors(const std::shared_ptr<Session>& session);
  ~PrivateDescriptors();

  PrivateDescriptors(const PrivateDescriptors&) = delete;
  PrivateDescriptors& operator=(const PrivateDescriptors&) = delete;

 private:
  std::shared_ptr<Pump> pump_;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_PRIVATE_DESCRIPTORS_H_
