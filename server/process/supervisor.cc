// The program that stands between the server and the command of a run, one process for each run.
// It starts the command, stops it, sees to it that nothing is left of it, and tells how it ended.
// It is the parent of all that the command leaves behind (a subreaper), so that it finds daemons,
// too; and it learns that the server is gone, whatever the reason, by the end of their socket.
//
// A single thread, no libraries, little memory: it is linked into the server as a file, see
// spawn.cc.

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "server/process/protocol.h"
#include "server/process/run_processes.h"

namespace jobtail::process {
namespace {

constexpr int64_t kNever = -1;

int64_t NowMillis() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

void Tell(const Event& event) { send(kControlFd, &event, sizeof event, MSG_NOSIGNAL); }

// The order, mapped into memory, with pointers to its strings.
struct Command {
  const Order* order;
  const char* directory;
  char** arguments;
  char** variables;
  char** paths;
};

char** Strings(char** at, uint32_t count, char*** next) {
  *next = at + count + 1;
  return at;
}

// Null-terminated lists of pointers to consecutive strings.
bool ReadOrder(Command* command) {
  struct stat file {};
  if (fstat(kOrderFd, &file) != 0 || file.st_size < static_cast<off_t>(sizeof(Order))) return false;
  const auto size = static_cast<size_t>(file.st_size);
  void* const bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, kOrderFd, 0);
  if (bytes == MAP_FAILED) return false;
  close(kOrderFd);
  const auto* const order = static_cast<const Order*>(bytes);
  const size_t slots = size_t{order->arguments} + order->variables + order->paths + 3;
  auto** table = static_cast<char**>(calloc(slots, sizeof(char*)));
  if (!table) return false;
  *command = {order, static_cast<char*>(bytes) + sizeof(Order), nullptr, nullptr, nullptr};
  command->arguments = Strings(table, order->arguments, &table);
  command->variables = Strings(table, order->variables, &table);
  command->paths = Strings(table, order->paths, &table);
  const char* text = command->directory;
  for (const auto& [list, count] :
       {std::pair(command->arguments, order->arguments),
        std::pair(command->variables, order->variables), std::pair(command->paths, order->paths)}) {
    for (uint32_t i = 0; i < count; ++i) {
      text += strlen(text) + 1;
      list[i] = const_cast<char*>(text);
    }
  }
  return true;
}

// --- In the command's process, before it is the command.

void ResetSignals() {
  for (int number = 1; number < _NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

using Step = Event::Step;

bool SetPriority(const Order& order) {
  if (order.has_nice && setpriority(PRIO_PROCESS, 0, order.nice) != 0) return false;
  constexpr int kWhoProcess = 1;  // IOPRIO_WHO_PROCESS
  return !order.has_io_priority || syscall(SYS_ioprio_set, kWhoProcess, 0, order.io_priority) == 0;
}

// So that the user can open what is its own output by name, /dev/stdout.
void GiveOutputs(const Order& order) {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat file {};
    if (fstat(fd, &file) != 0 || (!S_ISFIFO(file.st_mode) && !order.terminal)) continue;
    static_cast<void>(!fchown(fd, order.uid, file.st_gid));
  }
}

bool ChangeUser(const Order& order) {
  if (!order.change_user) return true;
  GiveOutputs(order);
  return setgroups(static_cast<size_t>(order.group_count), order.groups) == 0 &&
         setgid(order.gid) == 0 && setuid(order.uid) == 0;
}

bool SetLimit(__rlimit_resource resource, int64_t most, int64_t hard_above = 0) {
  if (most == Order::kNoLimit) return true;
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return false;
  const auto wanted = static_cast<rlim_t>(most);
  limit.rlim_max = std::min(limit.rlim_max, wanted + static_cast<rlim_t>(hard_above));
  limit.rlim_cur = std::min(limit.rlim_max, wanted);
  return setrlimit(resource, &limit) == 0;
}

// Its own, not the one that the server has raised for itself.
bool SetOpenFiles(const Order& order) {
  if (order.open_files != Order::kNoLimit) return SetLimit(RLIMIT_NOFILE, order.open_files);
  rlimit limit{};
  if (order.usual_open_files == Order::kNoLimit) return true;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(order.usual_open_files));
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

// After SIGXCPU it has some seconds to end by itself.
bool SetLimits(const Order& order) {
  constexpr int64_t kLastSeconds = 5;
  return SetOpenFiles(order) && SetLimit(RLIMIT_CPU, order.cpu_seconds, kLastSeconds) &&
         SetLimit(RLIMIT_FSIZE, order.file_bytes) && SetLimit(RLIMIT_NPROC, order.processes) &&
         SetLimit(RLIMIT_AS, order.address_space_bytes) &&
         (!order.no_new_privileges || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

// Before it becomes its user, who may not.
bool EnterCgroup(const Order& order) { return !order.has_cgroup || write(kCgroupFd, "0", 1) == 1; }

// The stop signal waits until the command is ready for it.
void GiveChannel(const Order& order) {
  dup2(kChannelFd, kCommandChannelFd);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, order.stop_signal);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
}

// Tries the paths; that which is there, but cannot be executed, is the better reason.
void Execute(const Command& command) {
  int reason = ENOENT;
  for (char** path = command.paths; *path; ++path) {
    execve(*path, command.arguments, command.variables);
    if (errno != ENOENT && errno != ENOTDIR) reason = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  errno = reason;
}

// Returns only with the step that failed, and errno.
Step Become(const Command& command, pid_t supervisor) {
  const Order& order = *command.order;
  setsid();
  if (order.terminal && ioctl(STDOUT_FILENO, TIOCSCTTY, 0) != 0) return Step::kTerminal;
  if (!SetPriority(order)) return Step::kPriority;
  if (!EnterCgroup(order)) return Step::kLimits;
  if (!ChangeUser(order)) return Step::kUser;
  if (chdir(command.directory) != 0) return Step::kDirectory;
  // After the change of user, which would undo it. The supervisor has one thread, which lives as
  // long as it does.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(1);
  ResetSignals();
  if (!SetLimits(order)) return Step::kLimits;
  if (order.has_channel) GiveChannel(order);
  Execute(command);
  return Step::kExecute;
}

// --- In the supervisor

class Supervisor {
 public:
  explicit Supervisor(const Command& command) : command_(command), order_(*command.order) {
    for (int& fd : drains_) {
      const int wanted = &fd == drains_ ? kDrainFd : kDrainFd2;
      if (order_.outlives_server && fcntl(wanted, F_GETFD) >= 0) fd = wanted;
    }
  }

  void Run() {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    BlockSignals();
    if (!Start()) return;
    DropOutputs();
    while (Reap()) {
      ObeyTime();
      Wait();
    }
    Event usage{};
    usage.kind = Event::Kind::kUsage;
    usage.user_micros = user_micros_;
    usage.system_micros = system_micros_;
    usage.peak_memory_bytes = peak_memory_bytes_;
    if (left_over_ > 0) Tell(Count(Event::Kind::kLeftOver, left_over_));
    Tell(usage);
  }

 private:
  static Event Count(Event::Kind kind, int count) {
    Event event{};
    event.kind = kind;
    event.count = count;
    return event;
  }

  void BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signals_ = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  // False if the command could not be started, which has been told.
  bool Start() {
    const pid_t self = getpid();
    int report[2];
    Event failed{};
    failed.kind = Event::Kind::kNotStarted;
    failed.step = Step::kFork;
    if (pipe2(report, O_CLOEXEC) != 0 || (main_ = fork()) < 0) {
      failed.error = errno;
      Tell(failed);
      return false;
    }
    if (main_ == 0) {
      close(report[0]);
      failed.step = Become(command_, self);
      failed.error = errno;
      static_cast<void>(!write(report[1], &failed, sizeof failed));
      _exit(127);
    }
    close(report[1]);
    const bool started = read(report[0], &failed, sizeof failed) <= 0;
    close(report[0]);
    if (started) return true;
    Tell(failed);
    waitpid(main_, nullptr, 0);
    return false;
  }

  // The command and what it starts alone have its outputs open.
  void DropOutputs() const {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      if (null >= 0) dup2(null, fd);
    }
    if (order_.has_channel) close(kChannelFd);
    if (order_.has_cgroup) close(kCgroupFd);
  }

  // False once there is nobody left.
  bool Reap() {
    while (true) {
      int status;
      rusage usage{};
      const pid_t pid = wait4(-1, &status, WNOHANG, &usage);
      if (pid == 0) return true;
      if (pid < 0) return errno == EINTR;
      Add(usage);
      if (pid == main_) MainEnded(status);
    }
  }

  void Add(const rusage& usage) {
    const auto micros = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
    user_micros_ += micros(usage.ru_utime);
    system_micros_ += micros(usage.ru_stime);
    peak_memory_bytes_ = std::max<int64_t>(peak_memory_bytes_, usage.ru_maxrss * 1024);
  }

  void MainEnded(int status) {
    Event event{};
    event.kind = Event::Kind::kEnded;
    event.status = status;
    Tell(event);
    main_ended_ = true;
    // What was asked to stop with it has the rest of the grace.
    if (!killing_) kill_at_ = std::max(kill_at_, NowMillis() + order_.drain_millis);
  }

  void ObeyTime() {
    if (kill_at_ == kNever || NowMillis() < kill_at_) return;
    if (!main_ended_ && !killing_) Tell(Count(Event::Kind::kKilled, 0));
    const bool first = !killing_;
    killing_ = true;
    const int killed = KillChildren({main_, main_ended_});
    if (first && main_ended_) left_over_ = killed;
    // Whose parent died just now comes to us, and must be killed, too.
    constexpr int64_t kAgainMillis = 10;
    kill_at_ = NowMillis() + kAgainMillis;
  }

  void Wait() {
    int timeout = -1;
    if (kill_at_ != kNever) {
      timeout = static_cast<int>(std::clamp<int64_t>(kill_at_ - NowMillis(), 0, 60'000));
    }
    pollfd events[] = {{signals_, POLLIN, 0},
                       {server_gone_ ? -1 : kControlFd, POLLIN, 0},
                       {server_gone_ ? drains_[0] : -1, POLLIN, 0},
                       {server_gone_ ? drains_[1] : -1, POLLIN, 0}};
    if (poll(events, std::size(events), timeout) <= 0) return;
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) > 0) {
    }
    if (events[1].revents) TakeRequest();
    for (int i : {0, 1}) {
      if (events[2 + i].revents) Discard(&drains_[i]);
    }
  }

  void TakeRequest() {
    Request request;
    const ssize_t size = recv(kControlFd, &request, sizeof request, MSG_DONTWAIT);
    if (size > 0) {
      Stop();
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
      ServerGone();
    }
  }

  void Stop() {
    if (stopping_ || killing_) return;
    stopping_ = true;
    const int64_t latest = NowMillis() + order_.grace_millis;
    kill_at_ = kill_at_ == kNever ? latest : std::min(kill_at_, latest);
    AskProcesses({main_, main_ended_}, order_.stop_signal);
  }

  void ServerGone() {
    server_gone_ = true;
    if (!order_.outlives_server) kill_at_ = NowMillis();
  }

  // Nobody reads any more what the command prints; it shall not be held up, or ended, by that.
  static void Discard(int* fd) {
    static char bytes[64 << 10];
    const ssize_t size = read(*fd, bytes, sizeof bytes);
    if (size == 0 || (size < 0 && errno != EAGAIN)) *fd = -1;
  }

  const Command command_;
  const Order& order_;
  int drains_[2] = {-1, -1};
  int signals_ = -1;
  pid_t main_ = -1;
  bool main_ended_ = false;
  bool server_gone_ = false;
  bool killing_ = false;
  bool stopping_ = false;
  int left_over_ = 0;
  int64_t kill_at_ = kNever;
  int64_t user_micros_ = 0;
  int64_t system_micros_ = 0;
  int64_t peak_memory_bytes_ = 0;
};

}  // namespace
}  // namespace jobtail::process

int main() {
  using jobtail::process::Command;
  using jobtail::process::Supervisor;
  for (const int fd : {3, 4, 5, 6, 7, 8}) fcntl(fd, F_SETFD, FD_CLOEXEC);
  close_range(9, ~0U, 0);
  prctl(PR_SET_NAME, "jobtail-run");
  Command command{};
  if (!jobtail::process::ReadOrder(&command)) return 1;
  Supervisor(command).Run();
  return 0;
}
