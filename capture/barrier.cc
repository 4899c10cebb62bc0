// The memory barrier that lets threads use their buffers without a lock.

#include "capture/barrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace jobtail::capture::internal {
namespace {

bool Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

// A flag that was raised before this says "available" was raised by an exchange, which is stronger.
void AsymmetricBarrier::Prepare() {
  if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)) available_.store(true);
}

void AsymmetricBarrier::Heavy() {
  if (available_.load()) Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

}  // namespace jobtail::capture::internal
