// write and writev on descriptors 1 and 2.

#include <sys/types.h>
#include <sys/uio.h>

#include <string_view>
#include <vector>

#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

bool IsOutput(int fd) { return fd == 1 || fd == 2; }

// The bytes written, or -1 if the thread turned out not to be captured.
ssize_t WriteVector(Stream stream, const iovec* parts, int count) {
  std::vector<std::string_view> views;
  ssize_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    views.emplace_back(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    bytes += static_cast<ssize_t>(parts[i].iov_len);
  }
  return Take(stream, views) ? bytes : -1;
}

}  // namespace

void LinkDescriptors() {}

JOBTAIL_INTERPOSE(ssize_t, write, (int fd, const void* data, size_t size)) {
  if (current_thread && IsOutput(fd) &&
      Take(Stream{static_cast<uint8_t>(fd)}, {static_cast<const char*>(data), size})) {
    return static_cast<ssize_t>(size);
  }
  return Real<"write", ssize_t(int, const void*, size_t)>()(fd, data, size);
}

JOBTAIL_INTERPOSE(ssize_t, writev, (int fd, const iovec* parts, int count)) {
  if (current_thread && IsOutput(fd) && count >= 0) {
    const ssize_t bytes = WriteVector(Stream{static_cast<uint8_t>(fd)}, parts, count);
    if (bytes >= 0) return bytes;
  }
  return Real<"writev", ssize_t(int, const iovec*, int)>()(fd, parts, count);
}

}  // namespace jobtail::capture::internal
