// What a thread waits for, as the system tells.
#ifndef JOBTAIL_SERVER_PROCESS_WAITED_FOR_H_
#define JOBTAIL_SERVER_PROCESS_WAITED_FOR_H_

#include <sys/types.h>

#include <vector>

namespace jobtail::process {

// The descriptors, of process `pid`, that its thread `thread` waits for to be read: in read(2) or
// readv(2), or in poll(2), select(2), epoll_wait(2) and their kin. None unless it is certain that
// the thread goes on by nothing else: not with a time limit, and not where it waits for anything to
// be written or in a way that is not known here (io_uring; a 32-bit program's calls). None where
// the system does not let this process see what others do. Thread-safe.
std::vector<int> WaitsToRead(pid_t pid, pid_t thread);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_WAITED_FOR_H_
