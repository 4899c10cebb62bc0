// Memory looked at through the kernel's eyes.

#include "capture/readable.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

// A change of the signal mask that cannot be meant, but whose mask is read first: EFAULT or EINVAL.
bool KernelCanRead(uintptr_t address) {
  constexpr long kNoSuchChange = -1;
  constexpr uintptr_t kMaskBytes = 8;
  const uintptr_t aligned = address & ~(kMaskBytes - 1);
  if (aligned == 0) return false;  // no mask
  const int before = errno;
  const bool readable = Real<"syscall", long(long, ...)>()(SYS_rt_sigprocmask, kNoSuchChange,
                                                           aligned, nullptr, kMaskBytes) >= 0 ||
                        errno != EFAULT;
  errno = before;
  return readable;
}

}  // namespace

size_t Readable::Look(uintptr_t begin, size_t size) {
  if (size == 0) return 0;
  const uintptr_t end = begin + size;
  if (end < begin) return 0;
  if (const uint64_t changes = changes_.load(std::memory_order_acquire); changes != seen_changes_) {
    pages_.fill(0);
    seen_changes_ = changes;
  }
  for (uintptr_t page = begin / kPage; page <= (end - 1) / kPage; ++page) {
    if (Remembers(page)) continue;
    const uintptr_t at = page * kPage;
    if (!KernelCanRead(at < begin ? begin : at)) return at < begin ? 0 : at - begin;
    pages_[page % pages_.size()] = ~page;
  }
  return size;
}

bool Readable::IsPath(const char* text) {
  for (size_t seen = 0; seen < PATH_MAX;) {
    const size_t in_page = kPage - reinterpret_cast<uintptr_t>(text + seen) % kPage;
    const size_t size = Bytes(text + seen, std::min<size_t>(in_page, PATH_MAX - seen));
    if (size == 0) return false;
    if (memchr(text + seen, '\0', size)) return true;
    seen += size;
  }
  return false;
}

}  // namespace jobtail::capture::internal
