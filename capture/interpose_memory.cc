// Memory that is taken away, or protected: what is known of pages that can be read does not hold
// any more.

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "capture/interpose.h"
#include "capture/readable.h"
#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

// After the change: what is looked at before it is looked at again.
template <typename Result>
Result Changed(Result result) {
  Readable::Forget();
  return result;
}

}  // namespace

// Looks the functions up before the program has threads: an allocator calls them under its lock,
// and one that looks a function up waits for a thread that loads a library, which may wait for the
// allocator.
__attribute__((constructor)) void LinkMemory() {
  static_cast<void>(Real<"munmap", int(void*, size_t)>());
  static_cast<void>(Real<"mprotect", int(void*, size_t, int)>());
  static_cast<void>(Real<"pkey_mprotect", int(void*, size_t, int, int)>());
  static_cast<void>(Real<"mremap", void*(void*, size_t, size_t, int, ...)>());
  static_cast<void>(Real<"shmdt", int(const void*)>());
}

JOBTAIL_INTERPOSE(int, munmap, (void* address, size_t size)) {
  return Changed(Real<"munmap", int(void*, size_t)>()(address, size));
}

JOBTAIL_INTERPOSE(int, mprotect, (void* address, size_t size, int protection)) {
  return Changed(Real<"mprotect", int(void*, size_t, int)>()(address, size, protection));
}

JOBTAIL_INTERPOSE(int, pkey_mprotect, (void* address, size_t size, int protection, int key)) {
  return Changed(
      Real<"pkey_mprotect", int(void*, size_t, int, int)>()(address, size, protection, key));
}

JOBTAIL_INTERPOSE(void*, mremap, (void* address, size_t before, size_t after, int flags, ...)) {
  va_list arguments;
  va_start(arguments, flags);
  void* const place = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  return Changed(Real<"mremap", void*(void*, size_t, size_t, int, ...)>()(address, before, after,
                                                                          flags, place));
}

JOBTAIL_INTERPOSE(int, shmdt, (const void* address)) {
  return Changed(Real<"shmdt", int(const void*)>()(address));
}

}  // namespace jobtail::capture::internal
