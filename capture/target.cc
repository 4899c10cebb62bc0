// Which descriptors and streams of a thread are its stdout and stderr.

#include "capture/target.h"

#include <unistd.h>

#include "capture/handler_frame.h"

namespace jobtail::capture::internal {

constinit ReplacedFile replaced_files[2];

void Copies::SetOwner() { owner_.store(getpid()); }

void Copies::Change(int fd, Stream stream) {
  const pid_t owner = owner_.load(std::memory_order_relaxed);
  if (owner != 0 && owner != getpid()) return;
  int highest = Highest();
  while (stream != Stream{} && highest < fd && !highest_.compare_exchange_weak(highest, fd)) {
  }
  table_[fd].store(stream, std::memory_order_relaxed);
}

// Whether the library or the sink is at work for the thread, and it is not a signal handler that
// has interrupted them.
static bool PrintsItself(const ThreadCapture& thread) {
  return thread.IsInside() && !IsInHandler();
}

Stream StandardStream(FILE* file) {
  if (file == stdout) return Stream::kStdout;
  if (file == stderr) return Stream::kStderr;
  if (file == replaced_files[0].original.load(std::memory_order_relaxed)) return Stream::kStdout;
  if (file == replaced_files[1].original.load(std::memory_order_relaxed)) return Stream::kStderr;
  return {};
}

// Whom a call is for that the library does not take.
void FileTarget::FindOriginal() {
  const Stream slot = StandardStream(file_);
  if (slot == Stream{}) return;
  const size_t index = slot == Stream::kStderr;
  if (current.real) {
    file_ = current.real->files[index];
  } else if (file_ == replaced_files[index].instead.load(std::memory_order_relaxed)) {
    file_ = replaced_files[index].original.load(std::memory_order_relaxed);
  }
}

void FileTarget::FindOther() {
  if (!file_) return;
  ThreadCapture& thread = *current.thread;
  const Stream slot = StandardStream(file_);
  const int fd = slot != Stream{} ? static_cast<int>(slot) : file_->_fileno;
  FindOriginal();
  const Stream copy = Copies::Find(fd);
  if (copy == Stream{}) return;
  const bool own = fd <= 2;
  if (!own || !thread.session().HasRedirections()) {
    stream_ = copy;
    return;
  }
  // Where the job's stdout leads is of no concern to what the sink prints.
  if (PrintsItself(thread)) return;
  const Redirection::Target target = thread.session().redirection().Find(copy);
  stream_ = target.captured;
  if (target.file) file_ = target.file;
}

void DescriptorTarget::Find() {
  const Stream copy = Copies::Find(fd_);
  if (copy == Stream{}) return;
  ThreadCapture* const thread = current.thread;
  if (!thread || PrintsItself(*thread)) return FindReal();
  stream_ = copy;
  if (fd_ > 2 || !thread->session().HasRedirections()) return;
  const Redirection::Target target = thread->session().redirection().Find(copy);
  stream_ = target.captured;
  if (stream_ == Stream{}) fd_ = target.fd;
}

int JobsDescriptor(int fd) {
  ThreadCapture* const thread = current.thread;
  if ((fd != 1 && fd != 2) || !thread || PrintsItself(*thread)) return fd;
  if (!thread->session().HasRedirections()) return fd;
  const Redirection::Target target =
      thread->session().redirection().Find(Stream{static_cast<uint8_t>(fd)});
  return target.captured != Stream{} ? fd : target.fd;
}

void DescriptorTarget::FindReal() {
  if (current.real && fd_ <= 2) fd_ = current.real->fds[fd_ - 1];
}

}  // namespace jobtail::capture::internal
