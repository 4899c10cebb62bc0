// A process under test, with its input, output and end.
#ifndef JOBTAIL_TESTS_SUPPORT_SUBPROCESS_H_
#define JOBTAIL_TESTS_SUPPORT_SUBPROCESS_H_

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jobtail::testing {

// What a process printed and how it ended.
struct Outcome {
  std::string out;     // standard output; on a terminal, standard error as well
  std::string err;     // standard error
  std::string report;  // what a body of RunInChild() returned
  int exit_code = -1;  // -1 if a signal ended it
  int signal = 0;
  bool timed_out = false;  // killed at its deadline
};

// A process under test, whose input and outputs are pipes or a terminal, in a session of its own.
// What is left of its process group when it has ended, or when this object goes, is killed.
// Not thread-safe.
//
//   Subprocess cat({.command = {"/bin/cat"}});
//   cat.Write("meow\n");
//   cat.WaitForOutput("meow\n");
//   cat.CloseInput();
//   EXPECT_EQ(cat.Wait().exit_code, 0);
class Subprocess {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    std::vector<std::string> command;           // the program's path, then its arguments
    std::vector<std::string> environment = {};  // "NAME=value", besides what this process has
    bool terminal = false;                      // a pseudo-terminal instead of three pipes
    std::chrono::milliseconds deadline{60'000};
  };

  explicit Subprocess(const Options& options);

  // The process is a copy of this one, made by fork(), that runs `body` and exits with 0, or with 1
  // if it throws. For callers of a single thread only.
  explicit Subprocess(const std::function<std::string()>& body,
                      std::chrono::milliseconds deadline = std::chrono::minutes(1));

  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }
  // What has been read so far.
  const std::string& out() const { return outcome_.out; }
  const std::string& err() const { return outcome_.err; }

  // Feeds standard input, reading the outputs meanwhile so that neither side blocks. False if the
  // process has closed its input or ended.
  bool Write(std::string_view text);
  void CloseInput();

  void Signal(int number) const;

  // Waits until standard output contains `text`. False if the process ends, or the deadline comes,
  // before it does.
  bool WaitForOutput(std::string_view text);

  // The next line of standard output that this function has not returned yet, without its
  // terminator. Nothing at the end of the output or at the deadline.
  std::optional<std::string> ReadLine();

  // Closes the input, waits for the end and returns everything. At the deadline kills the process.
  Outcome Wait();

 private:
  enum Channel { kIn, kOut, kErr, kReport, kChannels };
  struct Ends {
    std::array<int, kChannels> child;
    std::array<int, kChannels> parent;
  };

  static Ends OpenPipes();
  void Spawn(const Options& options, const Ends& ends);
  void SpawnOnTerminal(const Options& options);
  void Fork(const Ends& ends, const std::function<std::string()>& body);
  void Adopt(pid_t pid, const std::array<int, kChannels>& parent);
  bool Pump(bool want_input);
  void Read(Channel channel);
  void TakeStatus();
  int KillGroupAndReap();
  void Close(Channel channel);

  const bool terminal_;
  const Clock::time_point deadline_;
  pid_t pid_ = -1;
  int pid_fd_ = -1;  // readable once the process has ended; -1 after that
  std::array<int, kChannels> fds_{-1, -1, -1, -1};
  size_t lines_read_to_ = 0;
  Outcome outcome_;
};

// Runs a program to its end.
Outcome Run(const Subprocess::Options& options, std::string_view input = "");

// Runs `body` in a child process with descriptors 1 and 2 of its own. See Subprocess.
Outcome RunInChild(const std::function<std::string()>& body);

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SUPPORT_SUBPROCESS_H_
