// What becomes of processes when the system has no memory left.
#ifndef JOBTAIL_SERVER_PROCESS_SYSTEM_MEMORY_H_
#define JOBTAIL_SERVER_PROCESS_SYSTEM_MEMORY_H_

#include <cstdint>

namespace jobtail::process {

// How many processes the kernel has killed for want of memory since it started, in this container
// or any other (/proc/vmstat's oom_kill). 0 where it does not tell. Thread-safe.
int64_t SystemMemoryKills();

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_SYSTEM_MEMORY_H_
