// The killing of processes that a run has left behind.
#ifndef JOBTAIL_SERVER_PROCESS_STRAYS_H_
#define JOBTAIL_SERVER_PROCESS_STRAYS_H_

#include <string>

namespace jobtail::process {

// Kills every process that has this variable, "NAME=value", in the environment that it was started
// with, and those that they start meanwhile; waits until none is left, a second at most: nothing
// for a thread that has other work. Returns how many there were. Sees what this process may see:
// all with root's rights, otherwise the processes of the same user.
//
// For the processes of a run whose supervisor, their parent, has been killed: nothing else of what
// they inherit is still there once they have become daemons.
int KillStrays(const std::string& variable);

// Makes this process the parent of all that commands leave behind whose supervisor has been killed,
// so that KillStrays finds it, whatever it has made of its environment, and takes it in when it has
// ended. Only for a program all
// whose children are commands: KillStrays kills every other one.
void AdoptOrphans();

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_STRAYS_H_
