// The command as a process under test, with pipes.
#ifndef JOBTAIL_TESTS_CLIENT_PROCESS_H_
#define JOBTAIL_TESTS_CLIENT_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace jobtail::client {

// The command `jobtail` as a process of its own, with pipes for its output. Killed when destroyed.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments);
  ~Process();

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Waits until this has come on stdout, or stderr; false if the stream has ended without it.
  // Nothing is taken from the other stream meanwhile.
  bool WaitForOut(const std::string& text);
  bool WaitForErr(const std::string& text);

  // Waits until the process can write no more to stdout because nobody reads it: in the middle of
  // one write, for only that fills the pipe to the last byte.
  void WaitForFullStdout();

  void Signal(int signal);

  // Lets nobody read stdout any more.
  void CloseStdout();

  // Takes all output and waits for the end: the exit code, or minus the signal that killed it.
  int Wait();

  // What has been taken so far.
  const std::string& out() const { return out_.bytes; }
  const std::string& err() const { return err_.bytes; }

 private:
  struct Stream {
    int fd = -1;
    std::string bytes;
  };

  static bool WaitFor(const std::string& text, Stream* stream);
  static bool Take(Stream* stream);

  pid_t pid_ = -1;
  Stream out_;
  Stream err_;
};

// Runs the command to its end.
struct Finished {
  int code;
  std::string out;
  std::string err;
};
Finished Jobtail(const std::vector<std::string>& arguments);

}  // namespace jobtail::client

#endif  // JOBTAIL_TESTS_CLIENT_PROCESS_H_
