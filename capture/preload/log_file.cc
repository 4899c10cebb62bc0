// A file that is opened when it is needed, and again if the program closed it.

#include "capture/preload/log_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace jobtail::capture::preload {
namespace {

// Programs expect the numbers that they get to be small, and sometimes to be the next ones.
constexpr int kLeastDescriptor = 100;

int MoveUp(int fd) {
  const int higher = fcntl(fd, F_DUPFD_CLOEXEC, kLeastDescriptor);
  if (higher < 0) return fd;
  close(fd);
  return higher;
}

}  // namespace

LogFile::~LogFile() {
  if (IsStillOurs()) close(fd_);
}

bool LogFile::IsStillOurs() const {
  struct stat status;
  return fd_ >= 0 && fstat(fd_, &status) == 0 && status.st_dev == device_ &&
         status.st_ino == inode_;
}

bool LogFile::Open() {
  const int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return false;
  fd_ = MoveUp(fd);
  struct stat status;
  fstat(fd_, &status);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return true;
}

int LogFile::descriptor() {
  if (IsStillOurs() || Open()) return fd_;
  if (!failed_) {
    dprintf(STDERR_FILENO, "libjobtail_capture: cannot open %s: %s; its lines go to stderr\n",
            path_.c_str(), strerror(errno));
  }
  failed_ = true;
  return STDERR_FILENO;
}

}  // namespace jobtail::capture::preload
