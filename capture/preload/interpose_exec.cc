// The exec family, in the preloaded library: `exec > file` in a shell, for one, redirects the
// thread's output, of which only its session knows, and then becomes another program.

#include <stdarg.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "capture/current.h"
#include "capture/interpose.h"
#include "capture/preload/real_outputs.h"
#include "capture/real.h"
#include "capture/session.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {
namespace {

using Strings = char* const*;

// Calls `exec` with the calling thread's unfinished text handed on and its redirections in place.
// Returns, with everything as it was, if `exec` fails.
template <typename Exec>
int ExecRedirected(Exec exec) {
  ThreadCapture* const thread = current.thread;
  if (!thread || thread->IsInside()) return exec();
  thread->Flush(Stream::kStdout);
  thread->Flush(Stream::kStderr);
  const Redirection& redirection = thread->session().redirection();
  if (!redirection.Any()) return exec();
  const preload::RealOutputs outputs;
  outputs.Redirect(redirection);
  const int result = exec();
  const int error = errno;
  outputs.Restore();
  errno = error;
  return result;
}

// The arguments of execl and its kin, with the null pointer at their end.
std::vector<char*> Collect(const char* first, va_list rest) {
  std::vector<char*> arguments{const_cast<char*>(first)};  // exec does not write to them
  while (arguments.back()) arguments.push_back(va_arg(rest, char*));
  return arguments;
}

}  // namespace

JOBTAIL_INTERPOSE(int, execve, (const char* path, Strings arguments, Strings environment)) {
  return ExecRedirected([=] {
    return Real<"execve", int(const char*, Strings, Strings)>()(path, arguments, environment);
  });
}

JOBTAIL_INTERPOSE(int, execvpe, (const char* file, Strings arguments, Strings environment)) {
  return ExecRedirected([=] {
    return Real<"execvpe", int(const char*, Strings, Strings)>()(file, arguments, environment);
  });
}

JOBTAIL_INTERPOSE(int, fexecve, (int fd, Strings arguments, Strings environment)) {
  return ExecRedirected(
      [=] { return Real<"fexecve", int(int, Strings, Strings)>()(fd, arguments, environment); });
}

JOBTAIL_INTERPOSE(int, execv, (const char* path, Strings arguments)) {
  return ExecRedirected(
      [=] { return Real<"execv", int(const char*, Strings)>()(path, arguments); });
}

JOBTAIL_INTERPOSE(int, execvp, (const char* file, Strings arguments)) {
  return ExecRedirected(
      [=] { return Real<"execvp", int(const char*, Strings)>()(file, arguments); });
}

JOBTAIL_INTERPOSE(int, execl, (const char* path, const char* first, ...)) {
  va_list rest;
  va_start(rest, first);
  const std::vector<char*> arguments = Collect(first, rest);
  va_end(rest);
  return ExecRedirected(
      [&] { return Real<"execv", int(const char*, Strings)>()(path, arguments.data()); });
}

JOBTAIL_INTERPOSE(int, execlp, (const char* file, const char* first, ...)) {
  va_list rest;
  va_start(rest, first);
  const std::vector<char*> arguments = Collect(first, rest);
  va_end(rest);
  return ExecRedirected(
      [&] { return Real<"execvp", int(const char*, Strings)>()(file, arguments.data()); });
}

JOBTAIL_INTERPOSE(int, execle, (const char* path, const char* first, ...)) {
  va_list rest;
  va_start(rest, first);
  const std::vector<char*> arguments = Collect(first, rest);
  const auto environment = va_arg(rest, Strings);
  va_end(rest);
  return ExecRedirected([&] {
    return Real<"execve", int(const char*, Strings, Strings)>()(path, arguments.data(),
                                                                environment);
  });
}

}  // namespace jobtail::capture::internal
