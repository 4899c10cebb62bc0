// What a thread has asked the kernel for, as the kernel tells.
#ifndef JOBTAIL_TESTS_SUPPORT_THREAD_SLICE_PROBE_H_
#define JOBTAIL_TESTS_SUPPORT_THREAD_SLICE_PROBE_H_

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace jobtail::testing {

// As sched_getattr(2) says.
struct ThreadScheduling {
  uint32_t policy = 0;
  int32_t nice = 0;
  uint64_t slice_nanos = 0;  // 0 where the kernel knows no such thing

  bool operator==(const ThreadScheduling&) const = default;
};

// Of thread `id`, or process; 0: of this thread. All zero if there is no such thread.
inline ThreadScheduling SchedulingOf(pid_t id = 0) {
  std::array<char, 48> attributes{};
  syscall(SYS_sched_getattr, id, attributes.data(), attributes.size(), 0);
  ThreadScheduling result;
  memcpy(&result.policy, attributes.data() + 4, sizeof result.policy);
  memcpy(&result.nice, attributes.data() + 16, sizeof result.nice);
  memcpy(&result.slice_nanos, attributes.data() + 24, sizeof result.slice_nanos);
  return result;
}

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SUPPORT_THREAD_SLICE_PROBE_H_
