// The setting of the C library's allocator for programs that receive much.
#ifndef JOBTAIL_CLIENT_RECEIVE_MEMORY_H_
#define JOBTAIL_CLIENT_RECEIVE_MEMORY_H_

#include <malloc.h>

namespace jobtail::client {

// Has the C library keep what is freed, up to 16 MiB, for the whole process: gRPC reads up to four
// megabytes at a time, and that memory would go back to the system each time, only to be asked for
// again. It keeps it in one place for all threads: any of gRPC's may be the one that reads, and
// what another has freed would be of no use to it. For a program that does little but receive logs;
// to be called before its first thread.
inline void KeepReceiveMemory() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 8 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_RECEIVE_MEMORY_H_
