// The processes of a run, as its supervisor finds them.
#ifndef JOBTAIL_SERVER_PROCESS_RUN_PROCESSES_H_
#define JOBTAIL_SERVER_PROCESS_RUN_PROCESSES_H_

#include <sys/types.h>

namespace jobtail::process {

// The process group of a run's command.
struct CommandGroup {
  pid_t number;
  bool command_ended;  // then the number may be another's by now
};

// All that a run has started is below its supervisor, the calling process, which is the parent of
// what others leave behind.

// Sends `signal` to each process of the run once, and wakes those that are stopped, which could not
// heed it.
void AskProcesses(const CommandGroup& group, int signal);

// Sends SIGKILL to the group, and to everybody whose parent is the supervisor: the command, and
// what was left behind. How many these are. Whoever loses its parent by that comes to the
// supervisor, and takes another call.
int KillChildren(const CommandGroup& group);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_RUN_PROCESSES_H_
