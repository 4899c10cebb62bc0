// syscall(2), the function: calls that write, and that make or redirect descriptors, go through the
// functions that the C library has for them.

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <optional>

#include "capture/current.h"
#include "capture/descriptor_names.h"
#include "capture/interpose.h"
#include "capture/readable.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {

void LinkSyscall() {}

namespace {

// Whether the call does what fork() does, and nothing else.
bool IsFork(long number, long a, long b) {
  switch (number) {
#ifdef SYS_fork
    case SYS_fork:
      return true;
#endif
    case SYS_clone:
      return a == SIGCHLD && b == 0;
    case SYS_clone3: {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how syscall() gets its pointers.
      const auto* const arguments = reinterpret_cast<const clone_args*>(a);
      return Readable::Bytes(arguments, CLONE_ARGS_SIZE_VER0) == CLONE_ARGS_SIZE_VER0 &&
             arguments->flags == 0 && arguments->exit_signal == SIGCHLD && arguments->stack == 0 &&
             static_cast<size_t>(b) <= CLONE_ARGS_SIZE_VER0;
    }
    default:
      return false;
  }
}

// NOLINTBEGIN(performance-no-int-to-ptr): the same.
// Whether a path is a name of what the job prints to.
bool MeansCapturedDescriptor(int directory, long path) {
  if (!current.thread || path == 0) return false;
  const auto fd = NamedDescriptor(directory, reinterpret_cast<const char*>(path));
  return fd && Copies::Find(*fd) != Stream{};
}

// Whether openat2's arguments can be read.
bool HasFlags(long how, long size) {
  return static_cast<size_t>(size) >= sizeof(open_how) &&
         Readable::Bytes(reinterpret_cast<const void*>(how), sizeof(open_how)) == sizeof(open_how);
}
// What a job asks of its descriptors, or sets about them, besides printing; nullopt for any other
// call.
std::optional<long> Ask(long number, long a, long b, long c, long d, long e) {
  const auto fd = static_cast<int>(a);
  const auto other = static_cast<int>(b);
  const auto third = static_cast<int>(c);
  switch (number) {
    case SYS_truncate:
      return truncate64(reinterpret_cast<const char*>(a), b);
    case SYS_ftruncate:
      return ftruncate64(fd, b);
    case SYS_fallocate:
      return fallocate64(fd, other, c, d);
    case SYS_fchmod:
      return fchmod(fd, static_cast<mode_t>(b));
    case SYS_fchown:
      return fchown(fd, static_cast<uid_t>(b), static_cast<gid_t>(c));
    case SYS_lseek:
      return lseek64(fd, b, third);
    case SYS_fsync:
      return fsync(fd);
    case SYS_fdatasync:
      return fdatasync(fd);
    case SYS_flock:
      return flock(fd, other);
    case SYS_ioctl:
      return ioctl(fd, static_cast<unsigned long>(b), c);
    case SYS_statx:
      return statx(fd, reinterpret_cast<const char*>(b), third, static_cast<unsigned>(d),
                   reinterpret_cast<struct statx*>(e));
#if defined(__x86_64__)  // where the C library's structure is the kernel's
    case SYS_fstat:
      return fstat64(fd, reinterpret_cast<struct stat64*>(b));
    case SYS_newfstatat:
      return fstatat64(fd, reinterpret_cast<const char*>(b), reinterpret_cast<struct stat64*>(c),
                       static_cast<int>(d));
#endif
    default:
      return std::nullopt;
  }
}
// NOLINTEND(performance-no-int-to-ptr)

}  // namespace

extern "C" {

// NOLINTBEGIN(performance-no-int-to-ptr): the same.
__attribute__((used, visibility("hidden"))) long jobtail_capture_syscall(long number, long a,
                                                                         long b, long c, long d,
                                                                         long e, long f) {
  const auto fd = static_cast<int>(a);
  const auto other = static_cast<int>(b);
  const auto third = static_cast<int>(c);
  const auto size = static_cast<size_t>(c);
  const auto* const parts = reinterpret_cast<const iovec*>(b);
  switch (number) {
    case SYS_write:
      return write(fd, reinterpret_cast<void*>(b), size);
    case SYS_pwrite64:
      return pwrite64(fd, reinterpret_cast<void*>(b), size, d);
    case SYS_writev:
      return writev(fd, parts, third);
    case SYS_pwritev:
      return pwritev64(fd, parts, third, d);
    case SYS_pwritev2:
      return pwritev64v2(fd, parts, third, d, static_cast<int>(f));
    case SYS_vmsplice:
      return vmsplice(fd, parts, size, static_cast<unsigned>(d));
    case SYS_sendfile:
      return sendfile64(fd, other, reinterpret_cast<off64_t*>(c), static_cast<size_t>(d));
    case SYS_splice:
      return splice(fd, reinterpret_cast<off64_t*>(b), third, reinterpret_cast<off64_t*>(d),
                    static_cast<size_t>(e), static_cast<unsigned>(f));
    case SYS_copy_file_range:
      return copy_file_range(fd, reinterpret_cast<off64_t*>(b), third,
                             reinterpret_cast<off64_t*>(d), static_cast<size_t>(e),
                             static_cast<unsigned>(f));
    case SYS_tee:
      return tee(fd, other, size, static_cast<unsigned>(d));
    case SYS_openat:
      return openat(fd, reinterpret_cast<const char*>(b), third, static_cast<mode_t>(d));
    case SYS_dup:
      return dup(fd);
    case SYS_dup3:
      return dup3(fd, other, third);
    case SYS_fcntl:
      return fcntl(fd, other, c);
    case SYS_close:
      return close(fd);
    case SYS_openat2:
      if (MeansCapturedDescriptor(fd, b) && HasFlags(c, d)) {
        const auto* const how = reinterpret_cast<const open_how*>(c);
        return openat(fd, reinterpret_cast<const char*>(b), static_cast<int>(how->flags),
                      static_cast<mode_t>(how->mode));
      }
      break;
    case SYS_close_range:
      return close_range(static_cast<unsigned>(a), static_cast<unsigned>(b), third);
    case SYS_munmap:
      return munmap(reinterpret_cast<void*>(a), static_cast<size_t>(b));
    case SYS_mprotect:
      return mprotect(reinterpret_cast<void*>(a), static_cast<size_t>(b), third);
#ifdef SYS_open
    case SYS_open:
      return open(reinterpret_cast<const char*>(a), other, static_cast<mode_t>(c));
    case SYS_creat:
      return creat(reinterpret_cast<const char*>(a), static_cast<mode_t>(b));
    case SYS_dup2:
      return dup2(fd, other);
#endif
    default:
      if (current.thread && IsFork(number, a, b)) return fork();
      if (const auto answer = Ask(number, a, b, c, d, e)) return *answer;
  }
  return Real<"syscall", long(long, ...)>()(number, a, b, c, d, e, f);
}

// NOLINTEND(performance-no-int-to-ptr)

__attribute__((used, visibility("hidden"))) void* jobtail_capture_real_syscall() {
  return reinterpret_cast<void*>(Real<"syscall", long(long, ...)>());
}

}  // extern "C"

// A call that returns twice on one stack, vfork, and those that may (clone, clone3), must find the
// stack as their caller left it, and are jumped to: vfork to the function, the others to the
// system, unless they are forks of a captured thread.
#if defined(__x86_64__)
extern "C" __attribute__((used, visibility("hidden"))) long jobtail_capture_is_fork(long number,
                                                                                    long a,
                                                                                    long b) {
  return current.thread && IsFork(number, a, b);
}

static_assert(SYS_clone == 56 && SYS_vfork == 58 && SYS_clone3 == 435);
__asm__(
    ".pushsection .text\n"
    ".globl syscall\n"
    ".type syscall, @function\n"
    "syscall:\n"
    "  cmpq $58, %rdi\n"
    "  je vfork@PLT\n"
    "  cmpq $56, %rdi\n"
    "  je 1f\n"
    "  cmpq $435, %rdi\n"
    "  jne jobtail_capture_syscall\n"
    "1:\n"
    "  pushq %rdi\n"
    "  pushq %rsi\n"
    "  pushq %rdx\n"
    "  pushq %rcx\n"
    "  pushq %r8\n"
    "  pushq %r9\n"
    "  subq $8, %rsp\n"
    "  call jobtail_capture_is_fork\n"
    "  movq %rax, (%rsp)\n"
    "  subq $8, %rsp\n"
    "  subq $8, %rsp\n"
    "  call jobtail_capture_real_syscall\n"
    "  addq $16, %rsp\n"
    "  popq %r11\n"
    "  popq %r9\n"
    "  popq %r8\n"
    "  popq %rcx\n"
    "  popq %rdx\n"
    "  popq %rsi\n"
    "  popq %rdi\n"
    "  testq %r11, %r11\n"
    "  jne jobtail_capture_syscall\n"
    "  jmp *%rax\n"
    ".size syscall, .-syscall\n"
    ".popsection\n");
#else
JOBTAIL_INTERPOSE(long, syscall, (long number, ...)) {
  va_list arguments;
  va_start(arguments, number);
  long values[6];
  for (long& value : values) value = va_arg(arguments, long);
  va_end(arguments);
  return jobtail_capture_syscall(number, values[0], values[1], values[2], values[3], values[4],
                                 values[5]);
}
#endif

}  // namespace jobtail::capture::internal
