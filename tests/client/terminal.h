// The command under test on a pseudo-terminal.
#ifndef JOBTAIL_TESTS_CLIENT_TERMINAL_H_
#define JOBTAIL_TESTS_CLIENT_TERMINAL_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace jobtail::client {

// The command `jobtail`, or another, on a pseudo-terminal of its own. Killed when destroyed.
class Terminal {
 public:
  explicit Terminal(const std::vector<std::string>& command, int columns = 80, int rows = 24);
  ~Terminal();

  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Waits until the condition holds for all that has been shown; false if the end comes first.
  bool WaitFor(const std::function<bool(const std::string& shown)>& condition);
  bool WaitFor(const std::string& text);

  // Types keys, "\x03" for Ctrl-C.
  void Type(const std::string& keys);

  void Resize(int columns, int rows);

  // Takes all that is shown to the end: the exit code, or minus the signal that killed it.
  int Wait();

  // What has been taken so far, with the terminal's codes.
  const std::string& shown() const { return shown_; }

 private:
  bool Take();

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string shown_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_TESTS_CLIENT_TERMINAL_H_
