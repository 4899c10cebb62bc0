// Programs that tests start.

#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <iostream>
#include <system_error>
#include <utility>

#ifdef __SANITIZE_THREAD__
// Without the second that ThreadSanitizer otherwise waits at the exit of a process with threads;
// and with threads in forked children, which is what some tests are about.
extern "C" const char* __tsan_default_options() { return "atexit_sleep_ms=0:die_after_fork=0"; }
#endif

namespace jobtail::testing {
namespace {

void Check(bool ok, const char* what) {
  if (!ok) throw std::system_error(errno, std::generic_category(), what);
}

void CheckCode(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// An added variable comes first, and so wins over one that was there.
std::vector<std::string> Environment(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry; ++entry) all.emplace_back(*entry);
  return all;
}

// posix_spawn with every signal as it is by default, in a new session.
pid_t SpawnWith(const Subprocess::Options& options, posix_spawn_file_actions_t* actions) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const std::vector<std::string> environment = Environment(options.environment);
  pid_t pid;
  const int error = posix_spawn(&pid, options.command.at(0).c_str(), actions, &attributes,
                                Pointers(options.command).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  CheckCode(error, options.command.at(0).c_str());
  return pid;
}

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0) return;
    bytes.remove_prefix(count);
  }
}

[[noreturn]] void RunBody(const std::function<std::string()>& body, int report) {
  int exit_code = 0;
  try {
    WriteAll(report, body());
  } catch (const std::exception& error) {
    fprintf(stderr, "%s\n", error.what());
    exit_code = 1;
  }
  exit(exit_code);
}

}  // namespace

Subprocess::Subprocess(const Options& options)
    : terminal_(options.terminal), deadline_(Clock::now() + options.deadline) {
  if (terminal_) {
    SpawnOnTerminal(options);
  } else {
    Spawn(options, OpenPipes());
  }
}

Subprocess::Subprocess(const std::function<std::string()>& body, std::chrono::milliseconds deadline)
    : terminal_(false), deadline_(Clock::now() + deadline) {
  Fork(OpenPipes(), body);
}

Subprocess::~Subprocess() {
  if (pid_fd_ >= 0) KillGroupAndReap();
  for (int channel = kIn; channel < kChannels; ++channel) Close(static_cast<Channel>(channel));
}

Subprocess::Ends Subprocess::OpenPipes() {
  Ends ends;
  for (int channel = kIn; channel < kChannels; ++channel) {
    int fds[2];
    Check(pipe2(fds, O_CLOEXEC) == 0, "pipe");
    const bool to_child = channel == kIn;
    ends.child[channel] = to_child ? fds[0] : fds[1];
    ends.parent[channel] = to_child ? fds[1] : fds[0];
  }
  return ends;
}

void Subprocess::Spawn(const Options& options, const Ends& ends) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd) {
    posix_spawn_file_actions_adddup2(&actions, ends.child.at(fd), fd);
  }
  const pid_t pid = SpawnWith(options, &actions);
  posix_spawn_file_actions_destroy(&actions);
  for (const int fd : ends.child) close(fd);
  Adopt(pid, ends.parent);
}

// The process opens the terminal itself, as the leader of its session, which makes it the session's
// terminal: so it gets the signals that are typed.
void Subprocess::SpawnOnTerminal(const Options& options) {
  int master;
  int slave;
  char name[64];
  Check(openpty(&master, &slave, name, nullptr, nullptr) == 0, "openpty");
  fcntl(master, F_SETFD, FD_CLOEXEC);
  fcntl(slave, F_SETFD, FD_CLOEXEC);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd) {
    posix_spawn_file_actions_addopen(&actions, fd, name, O_RDWR, 0);
  }
  const pid_t pid = SpawnWith(options, &actions);
  posix_spawn_file_actions_destroy(&actions);
  close(slave);
  const int in = fcntl(master, F_DUPFD_CLOEXEC, 0);
  Adopt(pid, {in, master, -1, -1});
}

void Subprocess::Fork(const Ends& ends, const std::function<std::string()>& body) {
  fflush(nullptr);
  std::cout.flush();
  const pid_t pid = fork();
  Check(pid >= 0, "fork");
  if (pid == 0) {
    setsid();
    for (int fd = 0; fd <= 2; ++fd) dup2(ends.child.at(fd), fd);
    for (const int fd : ends.parent) close(fd);
    RunBody(body, ends.child[kReport]);
  }
  for (const int fd : ends.child) close(fd);
  Adopt(pid, ends.parent);
}

void Subprocess::Adopt(pid_t pid, const std::array<int, kChannels>& parent) {
  signal(SIGPIPE, SIG_IGN);  // Write() tells that the process is gone
  pid_ = pid;
  fds_ = parent;
  for (const int fd : fds_) {
    if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  Check(pid_fd_ >= 0, "pidfd_open");
}

bool Subprocess::Write(std::string_view text) {
  while (!text.empty() && fds_[kIn] >= 0) {
    const ssize_t count = write(fds_[kIn], text.data(), text.size());
    if (count > 0) {
      text.remove_prefix(count);
    } else if (errno != EAGAIN) {
      Close(kIn);
    } else if (!Pump(/*want_input=*/true)) {
      break;
    }
  }
  return text.empty();
}

void Subprocess::CloseInput() {
  // A terminal has no end of file but the one that is typed.
  if (terminal_) Write("\x04");
  Close(kIn);
}

void Subprocess::Signal(int number) const { kill(pid_, number); }

bool Subprocess::WaitForOutput(std::string_view text) {
  while (outcome_.out.find(text) == std::string::npos) {
    if (!Pump(/*want_input=*/false)) return outcome_.out.find(text) != std::string::npos;
  }
  return true;
}

std::optional<std::string> Subprocess::ReadLine() {
  while (true) {
    const size_t end = outcome_.out.find('\n', lines_read_to_);
    if (end != std::string::npos) {
      std::string line = outcome_.out.substr(lines_read_to_, end - lines_read_to_);
      lines_read_to_ = end + 1;
      return line;
    }
    if (!Pump(/*want_input=*/false)) return std::nullopt;
  }
}

Outcome Subprocess::Wait() {
  CloseInput();
  while (Pump(/*want_input=*/false)) {
  }
  if (pid_fd_ >= 0) {
    outcome_.timed_out = true;
    TakeStatus();
  }
  return outcome_;
}

// Waits for the next event and takes what there is to read. False once the process has ended and
// everything has been read, and at the deadline.
bool Subprocess::Pump(bool want_input) {
  if (pid_fd_ < 0) return false;
  std::array<pollfd, kChannels + 1> polled;
  for (int channel = kIn; channel < kChannels; ++channel) {
    const bool wanted = channel != kIn || want_input;
    polled[channel] = {.fd = wanted ? fds_.at(channel) : -1,
                       .events = static_cast<int16_t>(channel == kIn ? POLLOUT : POLLIN),
                       .revents = 0};
  }
  polled[kChannels] = {.fd = pid_fd_, .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
  if (left.count() <= 0) return false;
  if (poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0) return errno == EINTR;
  const bool ended = polled[kChannels].revents != 0;
  if (ended) TakeStatus();
  for (const Channel channel : {kOut, kErr, kReport}) {
    if (ended || polled.at(channel).revents != 0) Read(channel);
  }
  return true;
}

// What there is, and no more than that.
void Subprocess::Read(Channel channel) {
  std::string& into = channel == kOut   ? outcome_.out
                      : channel == kErr ? outcome_.err
                                        : outcome_.report;
  char bytes[1 << 16];
  while (fds_.at(channel) >= 0) {
    const ssize_t count = read(fds_.at(channel), bytes, sizeof bytes);
    if (count > 0) {
      into.append(bytes, count);
    } else if (count < 0 && errno == EAGAIN) {
      return;
    } else if (count == 0 || errno != EINTR) {
      Close(channel);  // the end; a terminal reports it as an error
    }
  }
}

// Until it is waited for, an ended process keeps its group's number from being used again.
int Subprocess::KillGroupAndReap() {
  int status;
  kill(-pid_, SIGKILL);
  waitpid(pid_, &status, 0);
  close(std::exchange(pid_fd_, -1));
  return status;
}

void Subprocess::TakeStatus() {
  const int status = KillGroupAndReap();
  if (WIFEXITED(status)) outcome_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome_.signal = WTERMSIG(status);
}

void Subprocess::Close(Channel channel) {
  const int fd = std::exchange(fds_.at(channel), -1);
  if (fd >= 0) close(fd);
}

Outcome Run(const Subprocess::Options& options, std::string_view input) {
  Subprocess process(options);
  process.Write(input);
  return process.Wait();
}

Outcome RunInChild(const std::function<std::string()>& body) { return Subprocess(body).Wait(); }

}  // namespace jobtail::testing
