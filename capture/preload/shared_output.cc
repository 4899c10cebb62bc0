// A file or real output that several threads write lines to.

#include "capture/preload/shared_output.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace jobtail::capture::preload {
namespace {

// What cannot be written is lost, as it is for a program that does not look at what write returns.
void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

std::string_view Terminator(Ending ending) {
  if (ending == Ending::kLf) return "\n";
  if (ending == Ending::kCr) return "\r";
  return "";
}

}  // namespace

uint64_t SharedOutput::NewWriter() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

void SharedOutput::Write(uint64_t writer, std::string_view prefix, std::span<const Line> lines) {
  std::lock_guard lock(mutex_);
  for (const Line& line : lines) Add(writer, prefix, line);
  const int fd = descriptor_();
  if (fd >= 0) WriteAll(fd, text_);
  text_.clear();
}

void SharedOutput::Add(uint64_t writer, std::string_view prefix, const Line& line) {
  if (unfinished_ && unfinished_ != writer) {
    text_ += '\n';
    unfinished_ = 0;
  }
  if (!unfinished_) text_ += prefix;
  text_ += line.text;
  const std::string_view terminator = Terminator(line.ending);
  text_ += terminator;
  unfinished_ = terminator.empty() ? writer : 0;
}

}  // namespace jobtail::capture::preload
