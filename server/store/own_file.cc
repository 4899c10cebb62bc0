// Opens first and asks afterwards: a name can be changed in between, a descriptor cannot.
#include "server/store/own_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace jobtail {

int OpenOwnFile(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  struct stat info;
  if (fd < 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
                 info.st_nlink == 1)) {
    return fd;
  }
  close(fd);
  errno = EPERM;
  return -1;
}

}  // namespace jobtail
