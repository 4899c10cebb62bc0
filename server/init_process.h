// What a program has to do besides its work where it is the first process of a container.
#ifndef JOBTAIL_SERVER_INIT_PROCESS_H_
#define JOBTAIL_SERVER_INIT_PROCESS_H_

namespace jobtail {

// Returns at once, unless this is process 1. Then it returns in a child process, which goes on with
// the program, while this one waits for orphans of the container as they end, hands signals on, and
// ends as the child does. Without it, processes whose parents have ended would stay as zombies.
//
// To be called on the main thread, before any other is started, and before anything is written.
void LeaveProcessOneBehind();

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_INIT_PROCESS_H_
