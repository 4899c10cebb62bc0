// libjobtail_faults.so: LD_PRELOAD makes a process's calls to the system fail, as a plan says.
//
// Each function here asks the plan, and hands the call on to the next definition of its name. A
// program that defines write() itself, as one with jobtail's capture does, comes first: it looks up
// the next definition in turn, which is the one here. What a descriptor belongs to is asked of the
// system (/proc/self/fd) while a rule is on for the call, so that nothing has to be kept of files
// that are opened, copied and closed. While no rule is on, a call costs a few loads.
//
// Nothing here allocates or locks, after the first call of each function: it may be called by
// signal handlers, in children of fork(), and before main().

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "tests/faults/fault_plan.h"

namespace {

using jobtail::faults::Call;
using jobtail::faults::Plan;
using jobtail::faults::Rule;

constexpr int kNone = -1;  // no descriptor

// What the environment said; null and empty until then.
constinit Plan* plan = nullptr;
constinit char directory[PATH_MAX] = "";       // as it was given
constinit char real_directory[PATH_MAX] = "";  // without symbolic links, as descriptors tell it

// A string as a template argument.
template <size_t N>
struct Name {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal becomes a Name.
  constexpr Name(const char (&text)[N]) { std::copy_n(text, N, value); }
  char value[N];
};

// The function that one of these stands before. Of this library alone, unlike capture's Real: a
// template of that name could be taken from the program, and would find this library's function.
template <Name name, typename Function>
Function* Next() {
  static constinit std::atomic<Function*> next = nullptr;
  Function* function = next.load(std::memory_order_relaxed);
  if (!function) {
    function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name.value));
    next.store(function, std::memory_order_relaxed);
  }
  return function;
}

__attribute__((constructor)) void Load() {
  const char* const control = getenv("JOBTAIL_FAULTS_CONTROL");
  const char* const below = getenv("JOBTAIL_FAULTS_DIRECTORY");
  if (!control || !below || strlen(below) >= sizeof directory) return;
  strcpy(directory, below);
  if (!realpath(below, real_directory)) return;
  const int fd = Next<"open", int(const char*, int, ...)>()(control, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* const mapping = Next<"mmap", void*(void*, size_t, int, int, int, off_t)>()(
      nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapping != MAP_FAILED) plan = static_cast<Plan*>(mapping);
}

// What follows `base` and a slash in `path`; null if it is elsewhere.
const char* After(const char* path, const char* base) {
  const size_t size = strlen(base);
  return size > 0 && strncmp(path, base, size) == 0 && path[size] == '/' ? path + size + 1
                                                                         : nullptr;
}

const char* Below(const char* path) {
  const char* const name = After(path, directory);
  return name ? name : After(path, real_directory);
}

// Whether any rule is on for the call: what follows takes its time.
bool IsWanted(Call call) {
  return plan && std::any_of(plan->rules.begin(), plan->rules.end(), [call](const Rule& rule) {
           return (rule.calls.load(std::memory_order_acquire) & call) != 0;
         });
}

bool IsNamed(const Rule& rule, const char* name) {
  char part[std::tuple_size<decltype(rule.part)>::value];
  for (size_t i = 0; i < sizeof part; ++i) part[i] = rule.part[i].load(std::memory_order_relaxed);
  part[sizeof part - 1] = '\0';
  return strstr(name, part) != nullptr;
}

// splitmix64, whichever thread is next.
bool Dice(uint32_t per_mille) {
  if (per_mille >= 1000) return true;
  uint64_t value = plan->random.fetch_add(0x9E3779B97F4A7C15) + 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return (value ^ (value >> 31)) % 1000 < per_mille;
}

// Takes one of the times that are left.
bool TakeOne(Rule& rule) {
  int64_t left = rule.left.load();
  while (left > 0 && !rule.left.compare_exchange_weak(left, left - 1)) {
  }
  return left != 0;
}

// For so long, or until the rule is switched off.
void Sleep(const Rule& rule, uint32_t milliseconds) {
  constexpr uint32_t kStep = 10;
  for (uint32_t slept = 0; slept < milliseconds && rule.calls.load() != 0; slept += kStep) {
    timespec left{0, static_cast<long>(std::min(kStep, milliseconds - slept)) * 1'000'000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
  }
}

// The error that the call is to fail with; 0: it is to be made.
int ErrorFor(Call call, const char* name) {
  for (Rule& rule : plan->rules) {
    if ((rule.calls.load(std::memory_order_acquire) & call) == 0) continue;
    if (!IsNamed(rule, name) || !Dice(rule.per_mille) || !TakeOne(rule)) continue;
    const int error = rule.error;
    const uint32_t delay = rule.delay_ms;
    ++rule.hits;
    if (delay > 0) Sleep(rule, delay);
    return error;
  }
  return 0;
}

int ErrorOfPath(Call call, const char* path) {
  const char* const name = path ? Below(path) : nullptr;
  return name ? ErrorFor(call, name) : 0;
}

int ErrorOfDescriptor(Call call, int fd) {
  char link[32];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return 0;
  path[size] = '\0';
  if (strncmp(path, "socket:", 7) == 0) return call == Call::kAccept ? ErrorFor(call, "") : 0;
  return ErrorOfPath(call, path);
}

// Whether the call is to fail, with errno set. Of a call that is made, errno stays as it was.
bool Fails(Call call, int fd, const char* path = nullptr) {
  if (!IsWanted(call)) return false;
  const int before = errno;
  const int error = fd == kNone ? ErrorOfPath(call, path) : ErrorOfDescriptor(call, fd);
  errno = error != 0 ? error : before;
  return error != 0;
}

}  // namespace

// A definition under a name of our own with the C name as its symbol, as in capture/interpose.h.
#define FAULTS_INTERPOSE(result, name, parameters)        \
  extern "C" __attribute__((visibility("default")))       \
  result jobtail_faults_##name parameters __asm__(#name); \
  extern "C" result jobtail_faults_##name parameters

// Sets `mode` to the argument after `flags`, if there is one.
#define FAULTS_TAKE_MODE(flags)                                         \
  mode_t mode = 0;                                                      \
  if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {     \
    va_list more;                                                       \
    va_start(more, flags);                                              \
    mode = static_cast<mode_t>(va_arg(more, int)); /* as it is passed*/ \
    va_end(more);                                                       \
  }

#define FAULTS_OPEN(name)                                                \
  FAULTS_INTERPOSE(int, name, (const char* path, int flags, ...)) {      \
    FAULTS_TAKE_MODE(flags)                                              \
    if (Fails(Call::kOpen, kNone, path)) return -1;                      \
    return Next<#name, int(const char*, int, ...)>()(path, flags, mode); \
  }
FAULTS_OPEN(open)
FAULTS_OPEN(open64)

// Of relative names, those below an open folder are not recognised.
#define FAULTS_OPENAT(name)                                                           \
  FAULTS_INTERPOSE(int, name, (int folder, const char* path, int flags, ...)) {       \
    FAULTS_TAKE_MODE(flags)                                                           \
    if (Fails(Call::kOpen, kNone, path)) return -1;                                   \
    return Next<#name, int(int, const char*, int, ...)>()(folder, path, flags, mode); \
  }
FAULTS_OPENAT(openat)
FAULTS_OPENAT(openat64)

FAULTS_INTERPOSE(ssize_t, read, (int fd, void* data, size_t size)) {
  if (Fails(Call::kRead, fd)) return -1;
  return Next<"read", ssize_t(int, void*, size_t)>()(fd, data, size);
}

#define FAULTS_PREAD(name)                                                              \
  FAULTS_INTERPOSE(ssize_t, name, (int fd, void* data, size_t size, off64_t offset)) {  \
    if (Fails(Call::kRead, fd)) return -1;                                              \
    return Next<#name, ssize_t(int, void*, size_t, off64_t)>()(fd, data, size, offset); \
  }
FAULTS_PREAD(pread)
FAULTS_PREAD(pread64)

// RocksDB reads write-ahead logs and the MANIFEST by it.
FAULTS_INTERPOSE(size_t, fread_unlocked, (void* data, size_t size, size_t count, FILE* file)) {
  if (Fails(Call::kRead, fileno_unlocked(file))) return 0;
  return Next<"fread_unlocked", size_t(void*, size_t, size_t, FILE*)>()(data, size, count, file);
}

FAULTS_INTERPOSE(ssize_t, write, (int fd, const void* data, size_t size)) {
  if (Fails(Call::kWrite, fd)) return -1;
  return Next<"write", ssize_t(int, const void*, size_t)>()(fd, data, size);
}

#define FAULTS_PWRITE(name)                                                                   \
  FAULTS_INTERPOSE(ssize_t, name, (int fd, const void* data, size_t size, off64_t offset)) {  \
    if (Fails(Call::kWrite, fd)) return -1;                                                   \
    return Next<#name, ssize_t(int, const void*, size_t, off64_t)>()(fd, data, size, offset); \
  }
FAULTS_PWRITE(pwrite)
FAULTS_PWRITE(pwrite64)

FAULTS_INTERPOSE(ssize_t, writev, (int fd, const iovec* parts, int count)) {
  if (Fails(Call::kWrite, fd)) return -1;
  return Next<"writev", ssize_t(int, const iovec*, int)>()(fd, parts, count);
}

#define FAULTS_PWRITEV(name)                                                                  \
  FAULTS_INTERPOSE(ssize_t, name, (int fd, const iovec* parts, int count, off64_t offset)) {  \
    if (Fails(Call::kWrite, fd)) return -1;                                                   \
    return Next<#name, ssize_t(int, const iovec*, int, off64_t)>()(fd, parts, count, offset); \
  }
FAULTS_PWRITEV(pwritev)
FAULTS_PWRITEV(pwritev64)

#define FAULTS_SYNC(name)                  \
  FAULTS_INTERPOSE(int, name, (int fd)) {  \
    if (Fails(Call::kSync, fd)) return -1; \
    return Next<#name, int(int)>()(fd);    \
  }
FAULTS_SYNC(fsync)
FAULTS_SYNC(fdatasync)

FAULTS_INTERPOSE(int, accept, (int fd, sockaddr* address, socklen_t* size)) {
  if (Fails(Call::kAccept, fd)) return -1;
  return Next<"accept", int(int, sockaddr*, socklen_t*)>()(fd, address, size);
}

FAULTS_INTERPOSE(int, accept4, (int fd, sockaddr* address, socklen_t* size, int flags)) {
  if (Fails(Call::kAccept, fd)) return -1;
  return Next<"accept4", int(int, sockaddr*, socklen_t*, int)>()(fd, address, size, flags);
}

#define FAULTS_FALLOCATE(name)                                                    \
  FAULTS_INTERPOSE(int, name, (int fd, int mode, off64_t begin, off64_t size)) {  \
    if (Fails(Call::kAllocate, fd)) return -1;                                    \
    return Next<#name, int(int, int, off64_t, off64_t)>()(fd, mode, begin, size); \
  }
FAULTS_FALLOCATE(fallocate)
FAULTS_FALLOCATE(fallocate64)

// It returns its error, and leaves errno alone.
#define FAULTS_POSIX_FALLOCATE(name)                                   \
  FAULTS_INTERPOSE(int, name, (int fd, off64_t begin, off64_t size)) { \
    const int before = errno;                                          \
    if (Fails(Call::kAllocate, fd)) {                                  \
      const int error = errno;                                         \
      errno = before;                                                  \
      return error;                                                    \
    }                                                                  \
    return Next<#name, int(int, off64_t, off64_t)>()(fd, begin, size); \
  }
FAULTS_POSIX_FALLOCATE(posix_fallocate)
FAULTS_POSIX_FALLOCATE(posix_fallocate64)

#define FAULTS_FTRUNCATE(name)                          \
  FAULTS_INTERPOSE(int, name, (int fd, off64_t size)) { \
    if (Fails(Call::kTruncate, fd)) return -1;          \
    return Next<#name, int(int, off64_t)>()(fd, size);  \
  }
FAULTS_FTRUNCATE(ftruncate)
FAULTS_FTRUNCATE(ftruncate64)

#define FAULTS_MMAP(name)                                                                         \
  FAULTS_INTERPOSE(                                                                               \
      void*, name,                                                                                \
      (void* address, size_t size, int protection, int flags, int fd, off64_t offset)) {          \
    if (fd >= 0 && Fails(Call::kMap, fd)) return MAP_FAILED;                                      \
    return Next<#name, void*(void*, size_t, int, int, int, off64_t)>()(address, size, protection, \
                                                                       flags, fd, offset);        \
  }
FAULTS_MMAP(mmap)
FAULTS_MMAP(mmap64)
