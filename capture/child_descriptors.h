// The descriptors 1 and 2 that a captured thread's child process is to start with.
#ifndef JOBTAIL_CAPTURE_CHILD_DESCRIPTORS_H_
#define JOBTAIL_CAPTURE_CHILD_DESCRIPTORS_H_

#include <array>
#include <memory>

#include "capture/child_output.h"

namespace jobtail::capture::internal {

// What a child process of the calling thread is to have as descriptors 1 and 2: pipes to the
// thread's session, or what the job has redirected them to.
class ChildDescriptors {
 public:
  // Null if the child is to print to what the process has: the thread is not captured, or its child
  // processes are not, or no pipes can be had.
  static std::unique_ptr<ChildDescriptors> Make();
  // Closes what only the child needs.
  ~ChildDescriptors();

  ChildDescriptors(const ChildDescriptors&) = delete;
  ChildDescriptors& operator=(const ChildDescriptors&) = delete;

  // The parent's descriptor that the child is to have as `stream`'s; -1 for none.
  int source(Stream stream) const { return sources_[stream == Stream::kStderr]; }

  // Puts them in place, in the descriptor table of the child. Async-signal-safe.
  void Install() const;

  // In a child that goes on without exec: closes the parent's ends.
  void CloseInChild() const;

 private:
  ChildDescriptors() = default;
  void SetSource(Stream stream, int fd);

  std::shared_ptr<ChildOutput> output_;
  std::array<int, 2> sources_{};
  std::array<int, 2> moved_{-1, -1};
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_CHILD_DESCRIPTORS_H_
