// The messages between a server and the supervisor of a command.
#ifndef JOBTAIL_SERVER_PROCESS_PROTOCOL_H_
#define JOBTAIL_SERVER_PROCESS_PROTOCOL_H_

#include <signal.h>
#include <sys/types.h>

#include <cstdint>

namespace jobtail::process {

// What the server and a run's supervisor say to each other. Both come from one build and run on one
// machine, so plain structures do.

// The supervisor's descriptors beside 0 to 2, which are the command's own.
enum SupervisorFd : int {
  kControlFd = 3,  // a SOCK_SEQPACKET socket: requests one way, events the other. Its end means
                   // that the other side is gone
  kOrderFd = 4,    // a file with what to run: an Order, then its strings
  kDrainFd = 5,    // if the command outlives the server: the reading ends of its outputs, to be
  kDrainFd2 = 6,   // emptied when the server is gone
  kChannelFd = 7,  // if the command has a channel: its side of that
  kCgroupFd = 8,   // if it has a control group: the file to which its processes are written
};

// A command's own descriptor for its channel: a SOCK_SEQPACKET socket.
inline constexpr int kCommandChannelFd = 3;
// What asks a command with a channel to stop.
inline constexpr int kStopSignal = SIGTERM;

// What to run. Followed by, each with a NUL behind it: the directory, `arguments` arguments, of
// which the first is the file to execute, `variables` times "NAME=value", and the paths to try.
struct Order {
  static constexpr int64_t kNoLimit = -1;

  uint32_t arguments;
  uint32_t variables;
  uint32_t paths;  // to try one after the other, with the same arguments
  bool change_user;
  bool terminal;         // descriptor 1 is one, to be the command's controlling terminal
  bool outlives_server;  // otherwise it is killed when the server is gone
  bool has_channel;      // it has that, and the stop signal is blocked when it starts
  bool has_nice;
  bool has_io_priority;
  uid_t uid;
  gid_t gid;
  int32_t group_count;
  gid_t groups[64];
  int32_t nice;
  int32_t io_priority;
  int32_t stop_signal;
  int64_t grace_millis;  // between the stop signal and SIGKILL
  int64_t drain_millis;  // for what the command has left behind when it ends
  // Limits, or kNoLimit.
  int64_t address_space_bytes;
  int64_t processes;
  int64_t open_files;
  int64_t usual_open_files;  // the soft limit of a command that has none of its own
  int64_t file_bytes;
  int64_t cpu_seconds;
  bool no_new_privileges;
  bool has_cgroup;
};

// What the server asks for, a byte each.
enum class Request : uint8_t {
  kStop = 1,  // the stop signal, and SIGKILL after the grace
};

// What the supervisor tells.
struct Event {
  enum class Kind : uint8_t {
    kNotStarted = 1,  // `step` failed with `error`; nothing follows
    kEnded,           // the command has ended with `status`, as of waitpid
    kKilled,          // SIGKILL was sent to the command after the grace
    kLeftOver,        // `count` processes that it had left behind were killed after the drain
    kUsage,           // the last: what they all have used
  };
  enum class Step : uint8_t {
    kFork = 1,
    kUser,
    kDirectory,
    kTerminal,
    kPriority,
    kLimits,
    kExecute
  };

  Kind kind;
  Step step;
  int32_t error;
  int32_t status;
  int32_t count;
  int64_t user_micros;
  int64_t system_micros;
  int64_t peak_memory_bytes;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_PROTOCOL_H_
