// Bounds what the C library keeps of freed memory, and gives it back to the system after a load.
#ifndef JOBTAIL_SERVER_FREED_MEMORY_H_
#define JOBTAIL_SERVER_FREED_MEMORY_H_

#include <cstddef>

#include "absl/time/time.h"
#include "base/scheduler.h"

namespace jobtail {

// Has the C library make few heaps, and keep a bounded part of each that is free. To be called
// before the process has a second thread; it changes nothing for memory in use.
//
// By default there are eight heaps for each processor, and each may keep 64 MiB at its end, which
// malloc_trim does not give back. Threads find their way into all of them in time.
void BoundHeaps();

// The C library keeps what is freed for what is asked for next, by each thread that ever had much:
// hundreds of megabytes after a load of many connections. On a thread of its own, this looks now
// and then whether the process has grown since it last gave memory back. If so it does so again,
// and goes on for a while, as what made it grow may have gone meanwhile.
class FreedMemory {
 public:
  FreedMemory();

 private:
  void Look();

  static constexpr absl::Duration kInterval = absl::Seconds(15);
  static constexpr size_t kGrowth = 32 << 20;
  static constexpr int kTrims = 4;  // after it has grown

  size_t resident_ = 0;  // after memory was given back last
  int trims_left_ = 0;
  Scheduler thread_;  // last: it uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_FREED_MEMORY_H_
