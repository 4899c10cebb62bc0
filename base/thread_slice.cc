// Asking for slices by sched_setattr, which the C library has no function for.
#include "base/thread_slice.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace jobtail {
namespace {

// As sched_setattr(2) has it at first: the header that has it does not go with the C library's.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;  // the slice, in nanoseconds; 0 from a kernel that knows none
  uint64_t deadline;
  uint64_t period;
};
static_assert(sizeof(SchedulingAttributes) == 48);

// False if the calling thread has no slices.
bool Get(SchedulingAttributes* attributes) {
  *attributes = {};
  return syscall(SYS_sched_getattr, 0, attributes, sizeof *attributes, 0) == 0 &&
         (attributes->policy == SCHED_OTHER || attributes->policy == SCHED_BATCH) &&
         attributes->runtime > 0;
}

// Changes nothing else about it.
void Set(SchedulingAttributes attributes, uint64_t slice) {
  attributes.flags = SCHED_FLAG_KEEP_POLICY;
  attributes.runtime = slice;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// What the first thread had that took long ones; 0: none has.
std::atomic<uint64_t> usual_slice = 0;

uint64_t LongSlice(uint64_t usual) { return usual + usual / 2; }

}  // namespace

void TakeLongSlices() {
  SchedulingAttributes present;
  if (!Get(&present)) return;
  uint64_t usual = 0;
  if (usual_slice.compare_exchange_strong(usual, present.runtime)) usual = present.runtime;
  Set(present, LongSlice(usual));
}

// Who has asked for slices of its own keeps them.
void TakeUsualSlices() {
  const uint64_t usual = usual_slice;
  SchedulingAttributes present;
  if (usual > 0 && Get(&present) && present.runtime == LongSlice(usual)) Set(present, usual);
}

}  // namespace jobtail
