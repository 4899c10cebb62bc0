// The command as a process under test: its start, its output, its end.

#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace jobtail::client {

Process::Process(const std::vector<std::string>& arguments) {
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  std::vector<char*> argv = {const_cast<char*>(JOBTAIL_COMMAND)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (posix_spawn(&pid_, JOBTAIL_COMMAND, &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(err[1]);
  out_.fd = out[0];
  err_.fd = err[0];
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  CloseStdout();
  close(err_.fd);
}

bool Process::WaitForOut(const std::string& text) { return WaitFor(text, &out_); }

bool Process::WaitForErr(const std::string& text) { return WaitFor(text, &err_); }

void Process::WaitForFullStdout() {
  const int capacity = fcntl(out_.fd, F_GETPIPE_SZ);
  int waiting = 0;
  while (waiting < capacity && ioctl(out_.fd, FIONREAD, &waiting) == 0) std::this_thread::yield();
}

void Process::Signal(int signal) { kill(pid_, signal); }

void Process::CloseStdout() {
  if (out_.fd >= 0) close(out_.fd);
  out_.fd = -1;
}

int Process::Wait() {
  bool open[2] = {out_.fd >= 0, true};
  while (open[0] || open[1]) {
    pollfd ready[2] = {{.fd = open[0] ? out_.fd : -1, .events = POLLIN, .revents = 0},
                       {.fd = open[1] ? err_.fd : -1, .events = POLLIN, .revents = 0}};
    poll(ready, 2, -1);
    if (ready[0].revents != 0) open[0] = Take(&out_);
    if (ready[1].revents != 0) open[1] = Take(&err_);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool Process::WaitFor(const std::string& text, Stream* stream) {
  while (stream->bytes.find(text) == std::string::npos) {
    if (!Take(stream)) return false;
  }
  return true;
}

// False at the end of the stream.
bool Process::Take(Stream* stream) {
  char chunk[65536];
  const ssize_t count = read(stream->fd, chunk, sizeof chunk);
  if (count > 0) stream->bytes.append(chunk, count);
  return count > 0;
}

Finished Jobtail(const std::vector<std::string>& arguments) {
  Process process(arguments);
  const int code = process.Wait();
  return {code, process.out(), process.err()};
}

}  // namespace jobtail::client
