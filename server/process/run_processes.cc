// Processes below the supervisor, as /proc tells.
#include "server/process/run_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace jobtail::process {
namespace {

// Calls `function(parent, pid)` for everybody below `parent`, none of whom is looked for with
// more than so many above. Whom a process starts meanwhile may not be among them.
template <typename Function>
void ForEachBelow(pid_t parent, const Function& function, int depth = 0) {
  constexpr int kMaxDepth = 200;
  char path[64];
  // NOLINTNEXTLINE(cert-err33-c): it has room
  snprintf(path, sizeof path, "/proc/%d/task", parent);
  DIR* const threads = depth < kMaxDepth ? opendir(path) : nullptr;
  if (!threads) return;
  while (const dirent* const thread = readdir(threads)) {
    if (thread->d_name[0] == '.') continue;
    char file[sizeof path + 32];
    snprintf(file, sizeof file, "%s/%.16s/children", path, thread->d_name);
    FILE* const children = fopen(file, "re");
    if (!children) continue;
    pid_t child;
    while (fscanf(children, "%d", &child) == 1) {
      function(parent, child);
      ForEachBelow(child, function, depth + 1);
    }
    fclose(children);
  }
  closedir(threads);
}

// As /proc tells it behind the name, which may have anything in it.
pid_t ParentOf(pid_t pid) {
  char text[512];
  snprintf(text, sizeof text, "/proc/%d/stat", pid);
  const int file = open(text, O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[std::max<ssize_t>(size, 0)] = '\0';
  const char* const name_end = strrchr(text, ')');
  char state;
  pid_t parent = -1;
  if (!name_end || sscanf(name_end + 1, " %c %d", &state, &parent) != 2) return -1;
  return parent;
}

// Not whoever may have its number by now: whom the descriptor means is still its parent's child.
void AskOne(pid_t parent, pid_t pid, int signal) {
  const auto process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return;
  if (ParentOf(pid) == parent) {
    syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0);
    syscall(SYS_pidfd_send_signal, process, SIGCONT, nullptr, 0);
  }
  close(process);
}

}  // namespace

// The command's group in one call, so that nobody is missed who is just being started; and those in
// groups of their own, as daemons and a shell's background jobs are.
void AskProcesses(const CommandGroup& group, int signal) {
  bool has_group = !group.command_ended;
  ForEachBelow(getpid(), [&](pid_t parent, pid_t pid) {
    const bool is_in_group = getpgid(pid) == group.number;
    has_group = has_group || is_in_group;
    if (!is_in_group) AskOne(parent, pid, signal);
  });
  if (!has_group) return;
  kill(-group.number, signal);
  kill(-group.number, SIGCONT);
}

int KillChildren(const CommandGroup& group) {
  if (!group.command_ended) kill(-group.number, SIGKILL);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE* const children = fopen(path, "re");
  if (!children) {
    kill(-group.number, SIGKILL);
    return 1;
  }
  int count = 0;
  int pid;
  while (fscanf(children, "%d", &pid) == 1) count += kill(pid, SIGKILL) == 0 ? 1 : 0;
  fclose(children);
  return count;
}

}  // namespace jobtail::process
