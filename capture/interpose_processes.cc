// Child processes of a captured thread: fork (through pthread_atfork), vfork, posix_spawn, system
// and popen. Their descriptors 1 and 2 are pipes to the thread's session; see ChildOutput.

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "capture/barrier.h"
#include "capture/cancellation.h"
#include "capture/child_descriptors.h"
#include "capture/cout_router.h"
#include "capture/flusher.h"
#include "capture/interpose.h"
#include "capture/pump.h"
#include "capture/real.h"
#include "capture/replaced_stdio.h"
#include "capture/session.h"
#include "capture/stream_state.h"
#include "capture/target.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {
namespace {

using Spawn = int(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                  char* const*, char* const*);

// The streams of popen, and the processes that were started here; 0 for those that the C library
// has started.
struct OpenPipes {
  std::mutex mutex;
  std::map<FILE*, pid_t> pids;

  static OpenPipes& Get() {
    static auto* const pipes = new OpenPipes;
    return *pipes;
  }

  std::optional<pid_t> Remove(FILE* file) {
    std::lock_guard lock(mutex);
    const auto found = pids.find(file);
    if (found == pids.end()) return std::nullopt;
    const pid_t pid = found->second;
    pids.erase(found);
    return pid;
  }
};

// --- fork

// Of the fork that this thread is in.
thread_local std::unique_ptr<ChildDescriptors> forking;

void BeforeFork() {
  forking = ChildDescriptors::Make();
  Pump::BeforeFork();
  // In the order in which they may be held together.
  LockRoutesForFork();
  LockStreamStateForFork();
  LockReplacedStdioForFork();
  OpenPipes::Get().mutex.lock();
  Flusher::Get().BeforeFork();
}

void UnlockAfterFork() {
  OpenPipes::Get().mutex.unlock();
  UnlockReplacedStdioAfterFork();
  UnlockStreamStateAfterFork();
  UnlockRoutesAfterFork();
}

void AfterForkInParent() {
  Flusher::Get().AfterForkInParent();
  UnlockAfterFork();
  Pump::AfterForkInParent();
  forking.reset();
}

// The other threads are gone, whatever they held, the heap's locks too: nothing is allocated here,
// or freed. The child captures nothing, unless it opens a scope itself. What other threads had
// printed and stdio not yet written is theirs.
void AfterForkInChild() {
  current.thread = nullptr;
  ThreadCapture::AfterForkInChild();
  Copies::SetOwner();
  AsymmetricBarrier::Prepare();
  Flusher::Get().AfterForkInChild();
  UnlockAfterFork();
  Pump::AfterForkInChild();
  if (!forking) return;
  __fpurge(stdout);
  __fpurge(stderr);
  forking->Install();
  forking->CloseInChild();
  static_cast<void>(forking.release());  // its locks may be held by threads that are gone
}

void TakeFromChildren() {
  const int error = errno;
  if (current.thread) current.thread->TakeFromChildren();
  errno = error;
}

// --- posix_spawn

// File actions that put `child`'s descriptors in place.
class FileActions {
 public:
  explicit FileActions(const ChildDescriptors& child) {
    posix_spawn_file_actions_init(&actions_);
    for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
      const int fd = static_cast<int>(stream);
      if (child.source(stream) >= 0) {
        posix_spawn_file_actions_adddup2(&actions_, child.source(stream), fd);
      } else {
        posix_spawn_file_actions_addclose(&actions_, fd);
      }
    }
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// Calls `function` on a thread that has the child's descriptors 1 and 2, in a table of its own.
// False if no thread can be had. Where the system refuses the table, the child prints to what the
// process has.
template <typename Function>
bool OnDescriptorsOf(const ChildDescriptors& child, Function function) {
  const NoCancellation no_cancellation;
  Bypass bypass;
  try {
    std::thread([&] {
      if (unshare(CLONE_FILES) == 0) child.Install();
      function();
    }).join();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

// The caller's own file actions must come after ours, and the C library has no way to put some
// before others. So they are carried out where our descriptors are in place already.
int SpawnWithActions(Spawn* spawn, const ChildDescriptors& child, pid_t* pid, const char* path,
                     const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                     char* const* arguments, char* const* environment) {
  int result = EAGAIN;
  OnDescriptorsOf(child,
                  [&] { result = spawn(pid, path, actions, attributes, arguments, environment); });
  return result;
}

int SpawnCaptured(Spawn* spawn, pid_t* pid, const char* path,
                  const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                  char* const* arguments, char* const* environment) {
  const std::unique_ptr<ChildDescriptors> child = ChildDescriptors::Make();
  if (!child) return spawn(pid, path, actions, attributes, arguments, environment);
  if (actions) {
    return SpawnWithActions(spawn, *child, pid, path, actions, attributes, arguments, environment);
  }
  FileActions own(*child);
  return spawn(pid, path, own.get(), attributes, arguments, environment);
}

// --- system and popen

class ShellCommand {
 public:
  explicit ShellCommand(const char* command) : text_(command) {}
  char* const* arguments() const { return arguments_.data(); }

 private:
  // posix_spawn does not write to what it is given.
  const char* const text_;
  const std::array<char*, 5> arguments_{const_cast<char*>("sh"), const_cast<char*>("-c"),
                                        const_cast<char*>("--"), const_cast<char*>(text_), nullptr};
};

int WaitFor(pid_t pid) {
  const NoCancellation no_cancellation;
  int status = -1;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

// The C library's own system(), which counts who ignores SIGINT meanwhile, on a thread that has the
// child's descriptors. If the calling thread is cancelled, that thread is, and with it the command.
class Shell {
 public:
  Shell(const char* command, const ChildDescriptors& child) : command_(command), child_(child) {
    Bypass bypass;
    const int error = pthread_create(&thread_, nullptr, Run, this);
    runs_ = error == 0;
    if (!runs_) error_ = error;
  }
  ~Shell() {
    if (!runs_) return;
    pthread_cancel(thread_);
    pthread_join(thread_, nullptr);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  // What system returns. A point of cancellation.
  int Wait() {
    if (runs_) pthread_join(thread_, nullptr);
    runs_ = false;
    errno = error_;
    return status_;
  }

 private:
  static void* Run(void* self) {
    static_cast<Shell*>(self)->Run();
    return nullptr;
  }
  void Run() {
    int cancellable;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellable);
    if (unshare(CLONE_FILES) == 0) child_.Install();
    pthread_setcancelstate(cancellable, nullptr);
    status_ = Real<"system", int(const char*)>()(command_);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    error_ = errno;
  }

  const char* const command_;
  const ChildDescriptors& child_;
  pthread_t thread_;
  bool runs_ = false;
  int status_ = -1;
  int error_ = 0;
};

// What popen's `mode` asks for, see popen(3). The stream is always closed on exec: no other process
// is to keep it open.
struct PipeMode {
  bool read;
};

std::optional<PipeMode> ParseMode(const char* mode) {
  const std::string_view text = mode;
  if (text == "r" || text == "re") return PipeMode{true};
  if (text == "w" || text == "we") return PipeMode{false};
  return std::nullopt;
}

FILE* PopenCaptured(const char* command, PipeMode mode, const ChildDescriptors& child) {
  const NoCancellation no_cancellation;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  for (int& end : ends) end = MoveUp(end);
  const int parents = mode.read ? ends[0] : ends[1];
  const int childs = mode.read ? ends[1] : ends[0];
  FileActions actions(child);
  OpenPipes& pipes = OpenPipes::Get();
  std::lock_guard lock(pipes.mutex);
  // As POSIX asks: a process that keeps the other end of an earlier one's input would keep it
  // alive.
  for (const auto& [other, its_pid] : pipes.pids) {
    posix_spawn_file_actions_addclose(actions.get(), fileno(other));
  }
  posix_spawn_file_actions_adddup2(actions.get(), childs, mode.read ? 1 : 0);
  const ShellCommand shell(command);
  pid_t pid;
  const int error = Real<"posix_spawn", Spawn>()(&pid, "/bin/sh", actions.get(), nullptr,
                                                 shell.arguments(), environ);
  close(childs);
  FILE* const file = error == 0 ? fdopen(parents, mode.read ? "r" : "w") : nullptr;
  if (!file) {
    close(parents);
    if (error != 0) errno = error;
    return nullptr;
  }
  pipes.pids[file] = pid;
  return file;
}

}  // namespace

std::optional<int> ClosePipe(FILE* file) {
  const std::optional<pid_t> pid = OpenPipes::Get().Remove(file);
  if (!pid || *pid == 0) return std::nullopt;
  fclose(file);
  return WaitFor(*pid);
}

void LinkProcesses() {
  Copies::SetOwner();
  pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
  atexit(Pump::CopyRest);
}

JOBTAIL_INTERPOSE(int, posix_spawn,
                  (pid_t * pid, const char* path, const posix_spawn_file_actions_t* actions,
                   const posix_spawnattr_t* attributes, char* const* arguments,
                   char* const* environment)) {
  return SpawnCaptured(Real<"posix_spawn", Spawn>(), pid, path, actions, attributes, arguments,
                       environment);
}

JOBTAIL_INTERPOSE(int, posix_spawnp,
                  (pid_t * pid, const char* file, const posix_spawn_file_actions_t* actions,
                   const posix_spawnattr_t* attributes, char* const* arguments,
                   char* const* environment)) {
  return SpawnCaptured(Real<"posix_spawnp", Spawn>(), pid, file, actions, attributes, arguments,
                       environment);
}

JOBTAIL_INTERPOSE(int, system, (const char* command)) {
  std::unique_ptr<ChildDescriptors> child;
  if (command && current.thread) child = ChildDescriptors::Make();
  if (!child) return Real<"system", int(const char*)>()(command);
  const int status = Shell(command, *child).Wait();
  TakeFromChildren();
  return status;
}

JOBTAIL_INTERPOSE(FILE*, popen, (const char* command, const char* mode)) {
  const std::optional<PipeMode> parsed = current.thread ? ParseMode(mode) : std::nullopt;
  std::unique_ptr<ChildDescriptors> child;
  if (parsed) child = ChildDescriptors::Make();
  if (child) return PopenCaptured(command, *parsed, *child);
  FILE* const file = Real<"popen", FILE*(const char*, const char*)>()(command, mode);
  if (file) {
    OpenPipes& pipes = OpenPipes::Get();
    std::lock_guard lock(pipes.mutex);
    pipes.pids[file] = 0;
  }
  return file;
}

JOBTAIL_INTERPOSE(int, pclose, (FILE * file)) {
  const std::optional<int> status = ClosePipe(file);
  return status ? *status : Real<"pclose", int(FILE*)>()(file);
}

// --- Waiting. What a child printed comes before what its parent prints once it has waited for it.

// NOLINTBEGIN(bugprone-macro-parentheses): lists of parameters and arguments come with theirs.
#define JOBTAIL_INTERPOSE_WAIT(name, parameters, arguments)         \
  JOBTAIL_INTERPOSE(pid_t, name, parameters) {                      \
    const pid_t result = Real<#name, pid_t parameters>() arguments; \
    TakeFromChildren();                                             \
    return result;                                                  \
  }
// NOLINTEND(bugprone-macro-parentheses)
JOBTAIL_INTERPOSE_WAIT(wait, (int* status), (status))
JOBTAIL_INTERPOSE_WAIT(waitpid, (pid_t pid, int* status, int options), (pid, status, options))
JOBTAIL_INTERPOSE_WAIT(wait3, (int* status, int options, struct rusage* usage),
                       (status, options, usage))
JOBTAIL_INTERPOSE_WAIT(wait4, (pid_t pid, int* status, int options, struct rusage* usage),
                       (pid, status, options, usage))

JOBTAIL_INTERPOSE(int, waitid, (idtype_t type, id_t id, siginfo_t* info, int options)) {
  const int result =
      Real<"waitid", int(idtype_t, id_t, siginfo_t*, int)>()(type, id, info, options);
  TakeFromChildren();
  return result;
}

// _Fork is fork without the handlers.
JOBTAIL_INTERPOSE(pid_t, _Fork, ()) {
  const auto real = Real<"_Fork", pid_t()>();
  std::unique_ptr<ChildDescriptors> child;
  if (current.thread) child = ChildDescriptors::Make();
  const pid_t pid = real();
  if (pid != 0 || !current.thread) return pid;
  current.thread = nullptr;
  if (child) child->Install();
  static_cast<void>(child.release());
  return pid;
}

}  // namespace jobtail::capture::internal
