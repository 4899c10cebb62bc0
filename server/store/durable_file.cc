// Writes a draft, syncs it, and gives it its name.
#include "server/store/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace jobtail {
namespace {

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Closes without a change to what went wrong before.
bool Closed(int fd, bool done) {
  const int error = errno;
  const bool closed = close(fd) == 0;
  if (!done) errno = error;
  return done && closed;
}

}  // namespace

bool WriteDurably(const std::string& directory, const std::string& name, std::string_view bytes) {
  const std::string path = directory + "/" + name;
  const std::string draft = path + ".new";
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  if (Closed(fd, WriteAll(fd, bytes) && fsync(fd) == 0) &&
      rename(draft.c_str(), path.c_str()) == 0) {
    return SyncNames(directory);
  }
  const int error = errno;
  unlink(draft.c_str());
  errno = error;
  return false;
}

bool SyncNames(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd >= 0 && Closed(fd, fsync(fd) == 0);
}

}  // namespace jobtail
