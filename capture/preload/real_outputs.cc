// The process's own stdout and stderr, kept to be restored.

#include "capture/preload/real_outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include "capture/current.h"

namespace jobtail::capture::preload {

using internal::Bypass;
using internal::Redirection;

namespace {

void Put(int from, int to) {
  if (from < 0 || dup2(from, to) < 0) close(to);
}

}  // namespace

RealOutputs::RealOutputs() {
  const Bypass bypass;
  saved_ = {fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
}

RealOutputs::~RealOutputs() {
  const Bypass bypass;
  for (const int fd : saved_) close(fd);
}

void RealOutputs::Redirect(const Redirection& redirection) const {
  const Bypass bypass;
  for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
    const Redirection::Target target = redirection.Find(stream);
    const bool is_file = target.captured == Stream{};
    Put(is_file ? target.fd : saved_[target.captured == Stream::kStderr], static_cast<int>(stream));
  }
}

void RealOutputs::Restore() const {
  const Bypass bypass;
  Put(saved_[0], STDOUT_FILENO);
  Put(saved_[1], STDERR_FILENO);
}

}  // namespace jobtail::capture::preload
