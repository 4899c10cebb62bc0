// A command with all that it takes to start it: arguments, environment, user, limits.
#ifndef JOBTAIL_SERVER_PROCESS_COMMAND_H_
#define JOBTAIL_SERVER_PROCESS_COMMAND_H_

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobtail::process {

class Cgroup;

// Whose rights a command has.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // `gid` included
  std::string name;
  std::string home;
  std::string shell;
};

// NOT_FOUND if the system knows no user of that name.
absl::StatusOr<User> FindUser(const std::string& name);

// Whose rights this process has. One that the system does not know has its number for a name.
User ProcessUser();

// How a command's stdout and stderr are read.
enum class OutputMode {
  kPipes,     // two pipes: each in order, the two as they happen to be read
  kExact,     // datagram sockets: both in the order of the writes
  kTerminal,  // one pseudo-terminal: all is stdout
};

// What a command may take, at most; what is not set is without limit, but for what the server
// itself has been given.
struct Limits {
  // In a control group of all processes of the run together; otherwise of each one: its address
  // space.
  std::optional<int64_t> memory_bytes;
  // In a control group of the run; otherwise of all that its user has, and without effect on root.
  std::optional<int64_t> processes;
  std::optional<int64_t> open_files;
  std::optional<int64_t> file_bytes;
  std::optional<absl::Duration> cpu_time;  // of each process
};

// A command to execute, with everything in place.
struct Command {
  std::vector<std::string> arguments;  // the first is the program: a path, or a name to look up in
                                       // the PATH of `environment`
  std::vector<std::string> paths;  // of the program, to try one after the other, where the first
                                   // argument does not say it
  std::vector<std::string> environment;  // "NAME=value"; nothing else but JOBTAIL_JOB and
                                         // JOBTAIL_RUN_ID
  std::string directory = "/";
  std::optional<User> user;  // default: the server's
  std::string input;         // what it can read on descriptor 0
  OutputMode output = OutputMode::kPipes;
  bool helps_exact_order = true;  // kExact: whether its programs load a library, see preload.h
  int stop_signal = SIGTERM;
  absl::Duration grace = absl::Seconds(10);  // from the stop signal to SIGKILL
  absl::Duration drain = absl::Seconds(1);   // from its end to SIGKILL for what it leaves behind
  bool outlives_server = false;
  // It is this program, and calls a job's function: see child.h. It has descriptor
  // kCommandChannelFd to tell its progress and its result, and starts with the stop signal blocked.
  bool calls_function = false;
  Limits limits;
  bool new_privileges = true;  // whether programs such as sudo give it the rights of another user
  std::optional<int> nice;
  std::optional<int> io_priority;  // as ioprio_set(2) takes it
};

// The files that the first argument may mean, to be tried one after the other.
std::vector<std::string> ProgramPaths(const Command& command);

// What the supervisor is told of it: see protocol.h. `cgroup` may be null.
std::string EncodeOrder(const Command& command, const Cgroup* cgroup);

// For messages: "SIGTERM" for 15.
std::string SignalName(int number);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_COMMAND_H_
