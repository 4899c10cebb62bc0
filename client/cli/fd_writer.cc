// write(2) to the end, whatever is behind the descriptor.

#include "client/cli/fd_writer.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"

namespace jobtail::client::cli {
namespace {

// Of a terminal, also where it is open as /dev/tty.
dev_t DeviceOf(int terminal) {
  unsigned int device;
  if (ioctl(terminal, TIOCGDEV, &device) == 0) return device;
  struct stat status;
  return fstat(terminal, &status) == 0 ? status.st_rdev : 0;
}

}  // namespace

FdWriter::FdWriter(int fd, const char* name, const std::atomic<bool>* stop)
    : fd_(fd), name_(name), is_terminal_(isatty(fd) == 1), stop_(stop) {}

bool FdWriter::SharesTerminal(const FdWriter& other) const {
  return is_terminal_ && other.is_terminal_ && DeviceOf(fd_) == DeviceOf(other.fd_);
}

bool FdWriter::SharesPlace(const FdWriter& other) const {
  struct stat one;
  struct stat two;
  if (fstat(fd_, &one) != 0 || fstat(other.fd_, &two) != 0) return false;
  return SharesTerminal(other) || (one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

bool FdWriter::IsReady() const {
  pollfd ready = {.fd = fd_, .events = POLLOUT, .revents = 0};
  return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

absl::Status FdWriter::Write(absl::string_view bytes, size_t* written) {
  *written = 0;
  while (*written < bytes.size()) {
    if (stop_ != nullptr && *stop_) return absl::CancelledError("stopped");
    const ssize_t count = write(fd_, bytes.data() + *written, bytes.size() - *written);
    if (count >= 0) {
      *written += static_cast<size_t>(count);
    } else if (absl::Status status = WaitOrFail(errno); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status FdWriter::WaitOrFail(int error) const {
  if (error == EINTR) return absl::OkStatus();
  if (error == EAGAIN || error == EWOULDBLOCK) {
    pollfd ready = {.fd = fd_, .events = POLLOUT, .revents = 0};
    (void)poll(&ready, 1, -1);
    return absl::OkStatus();
  }
  const std::string text = absl::StrCat("cannot write to ", name_);
  if (error == EPIPE) return absl::AbortedError(absl::StrCat(text, ": nobody reads it any more"));
  return absl::ErrnoToStatus(error, text);
}

}  // namespace jobtail::client::cli
