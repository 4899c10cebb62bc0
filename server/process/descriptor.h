// An owned file descriptor.
#ifndef JOBTAIL_SERVER_PROCESS_DESCRIPTOR_H_
#define JOBTAIL_SERVER_PROCESS_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace jobtail::process {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Close();
    fd_ = other.Release();
    return *this;
  }

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_DESCRIPTOR_H_
