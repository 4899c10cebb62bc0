// The first process of a container: starts the server as a child, and reaps whoever is left over.
#include "server/init_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jobtail {
namespace {

// Takes in whatever has ended. True if `child` is among it, with `*status` as of waitpid.
bool Reap(pid_t child, int* status) {
  while (true) {
    int ended_status = 0;
    const pid_t ended = waitpid(-1, &ended_status, WNOHANG);
    if (ended < 0 && errno == EINTR) continue;
    if (ended <= 0) return false;
    if (ended != child) continue;
    *status = ended_status;
    return true;
  }
}

[[noreturn]] void Attend(pid_t child, const sigset_t& signals) {
  while (true) {
    siginfo_t info;
    const int number = sigwaitinfo(&signals, &info);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      kill(child, number);
      continue;
    }
    int status = 0;
    // What else there is in the container, the system ends with this process.
    if (Reap(child, &status))
      _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
}

}  // namespace

void LeaveProcessOneBehind() {
  if (getpid() != 1) return;
  sigset_t signals;
  sigset_t before;
  sigfillset(&signals);
  sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t child = fork();
  if (child > 0) Attend(child, signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace jobtail
