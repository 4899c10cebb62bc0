// The pseudo-terminal under test: its start, its screen's bytes, its end.

#include "terminal.h"

#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace jobtail::client {

Terminal::Terminal(const std::vector<std::string>& command, int columns, int rows) {
  winsize size = {};
  size.ws_col = static_cast<uint16_t>(columns);
  size.ws_row = static_cast<uint16_t>(rows);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  char term[] = "TERM=xterm";
  environment.insert(environment.begin(), term);
  environment.push_back(nullptr);
  pid_ = forkpty(&fd_, nullptr, nullptr, &size);
  if (pid_ != 0) return;
  execve(argv[0], argv.data(), environment.data());
  _exit(127);
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (fd_ >= 0) close(fd_);
}

bool Terminal::WaitFor(const std::function<bool(const std::string& shown)>& condition) {
  while (!condition(shown_)) {
    if (!Take()) return false;
  }
  return true;
}

bool Terminal::WaitFor(const std::string& text) {
  return WaitFor([&](const std::string& shown) { return shown.find(text) != std::string::npos; });
}

void Terminal::Type(const std::string& keys) { (void)!write(fd_, keys.data(), keys.size()); }

void Terminal::Resize(int columns, int rows) {
  winsize size = {};
  size.ws_col = static_cast<uint16_t>(columns);
  size.ws_row = static_cast<uint16_t>(rows);
  ioctl(fd_, TIOCSWINSZ, &size);
}

int Terminal::Wait() {
  while (Take()) {
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// False at the end: EIO, as nobody has the terminal open any more.
bool Terminal::Take() {
  char chunk[65536];
  const ssize_t count = read(fd_, chunk, sizeof chunk);
  if (count < 0 && errno == EINTR) return true;
  if (count > 0) shown_.append(chunk, count);
  return count > 0;
}

}  // namespace jobtail::client
