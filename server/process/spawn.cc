// Starting a supervisor with a command.

#include "server/process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/process/protocol.h"

// The program of supervisor.cc, a file in this one: there is nothing to find, and no other version.
asm(".section .rodata\n"
    ".global jobtail_supervisor_begin\n"
    ".global jobtail_supervisor_end\n"
    "jobtail_supervisor_begin:\n"
    ".incbin \"" JOBTAIL_SUPERVISOR
    "\"\n"
    "jobtail_supervisor_end:\n"
    ".byte 0\n"
    ".previous\n");
extern "C" const char jobtail_supervisor_begin[];  // NOLINT: the linker's
extern "C" const char jobtail_supervisor_end[];    // NOLINT: the linker's

namespace jobtail::process {
namespace {

// Above those that a supervisor has under fixed numbers, so that none is overwritten before it is
// in place.
constexpr int kFirstFree = 16;

absl::StatusOr<Descriptor> MoveUp(int fd) {
  Descriptor moved(fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved.ok()) return SystemError("no descriptor");
  return moved;
}

// The supervisor's program; open for as long as the server is.
absl::StatusOr<int> Program() {
  static const auto* const program = [] {
    const auto file =
        MakeProgram("jobtail-supervisor", {jobtail_supervisor_begin, jobtail_supervisor_end});
    auto moved = file.ok() ? MoveUp(file->get()) : absl::StatusOr<Descriptor>(file.status());
    return new absl::StatusOr<Descriptor>(std::move(moved));
  }();
  if (!program->ok()) return program->status();
  return (*program)->get();
}

// Those that have not been waited for yet.
struct SupervisorList {
  std::mutex mutex;
  std::set<pid_t> pids;
};

SupervisorList& Supervisors() {
  static auto* const supervisors = new SupervisorList;
  return *supervisors;
}

// Which of the server's descriptors become which of the supervisor's.
class Actions {
 public:
  Actions() { posix_spawn_file_actions_init(&actions_); }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  absl::Status Add(int ours, int theirs) {
    absl::StatusOr<Descriptor> moved = MoveUp(ours);
    if (!moved.ok()) return moved.status();
    if (posix_spawn_file_actions_adddup2(&actions_, moved->get(), theirs) != 0) {
      return SystemError("no memory");
    }
    moved_.push_back(*std::move(moved));
    return absl::OkStatus();
  }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  std::vector<Descriptor> moved_;
};

// A session of its own: what is typed at the server's terminal is not for it. No signal has any
// effect until it has seen to them itself.
absl::StatusOr<pid_t> Launch(const Actions& actions) {
  const absl::StatusOr<int> program = Program();
  if (!program.ok()) return program.status();
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &all);
  const std::string path = absl::StrCat("/proc/self/fd/", *program);
  std::string name = "jobtail-run";
  std::array<char*, 2> arguments{name.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  pid_t pid;
  int error;
  {
    const std::lock_guard lock(Supervisors().mutex);
    error = posix_spawn(&pid, path.c_str(), actions.get(), &attributes, arguments.data(),
                        environment.data());
    if (error == 0) Supervisors().pids.insert(pid);
  }
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return pid;
  errno = error;
  return SystemError("no process");
}

// Both ends of a socket for messages; ours does not block.
struct Sockets {
  Descriptor ours;
  Descriptor theirs;
};

absl::StatusOr<Sockets> OpenSockets() {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return SystemError("no socket");
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Sockets{Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

void ForgetSupervisor(pid_t supervisor) {
  const std::lock_guard lock(Supervisors().mutex);
  Supervisors().pids.erase(supervisor);
}

void ForEachOtherChild(const std::function<void(pid_t)>& function) {
  const std::lock_guard lock(Supervisors().mutex);
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream children(thread.path() / "children");
    for (pid_t pid; children >> pid;) {
      if (!Supervisors().pids.contains(pid)) function(pid);
    }
  }
}

absl::StatusOr<SupervisedCommand> Spawn(const Command& command, const Cgroup* cgroup) {
  absl::StatusOr<Outputs> outputs = OpenOutputs(command.output, command.input);
  if (!outputs.ok()) return outputs.status();
  const absl::StatusOr<Descriptor> order = MakeFile("jobtail-order", EncodeOrder(command, cgroup));
  if (!order.ok()) return order.status();
  absl::StatusOr<Sockets> control = OpenSockets();
  if (!control.ok()) return control.status();
  Sockets channel;
  if (command.calls_function) {
    absl::StatusOr<Sockets> opened = OpenSockets();
    if (!opened.ok()) return opened.status();
    channel = *std::move(opened);
  }

  Actions actions;
  absl::Status status = actions.Add(control->theirs.get(), kControlFd);
  if (channel.theirs.ok()) status.Update(actions.Add(channel.theirs.get(), kChannelFd));
  status.Update(actions.Add(order->get(), kOrderFd));
  for (int fd = 0; fd <= 2; ++fd) {
    status.Update(actions.Add(outputs->theirs[static_cast<size_t>(fd)].get(), fd));
  }
  if (command.outlives_server) {
    for (size_t i = 0; i < outputs->ours.size(); ++i) {
      status.Update(actions.Add(outputs->ours[i].fd.get(), kDrainFd + static_cast<int>(i)));
    }
  }
  if (cgroup) {
    const absl::StatusOr<Descriptor> entrance = cgroup->OpenEntrance();
    if (!entrance.ok()) return entrance.status();
    status.Update(actions.Add(entrance->get(), kCgroupFd));
  }
  if (!status.ok()) return status;
  const absl::StatusOr<pid_t> pid = Launch(actions);
  if (!pid.ok()) return pid.status();
  return SupervisedCommand{*pid, std::move(control->ours), std::move(channel.ours),
                           std::move(outputs->ours)};
}

}  // namespace jobtail::process
