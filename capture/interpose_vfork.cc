// vfork: its child shares its parent's memory and stack until it has called exec, and runs no
// handlers of pthread_atfork.

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "capture/child_descriptors.h"
#include "capture/current.h"
#include "capture/interpose.h"
#include "capture/real.h"

namespace jobtail::capture::internal {

void LinkVfork() {}

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

namespace {

// Of the vfork that this thread is in.
struct Vforking {
  std::unique_ptr<ChildDescriptors> child;
  ThreadCapture* thread = nullptr;
};
thread_local Vforking vforking;

}  // namespace

extern "C" {

__attribute__((used, visibility("hidden"))) void* jobtail_capture_real_vfork() {
  return reinterpret_cast<void*>(Real<"vfork", pid_t()>());
}

// Whether the child is to have descriptors of its own; else the C library's vfork is jumped to.
__attribute__((used, visibility("hidden"))) bool jobtail_capture_before_vfork() {
  if (!current.thread) return false;
  vforking.child = ChildDescriptors::Make();
  vforking.thread = current.thread;
  return vforking.child != nullptr;
}

// In the child, where everything but the descriptors is the parent's. What it prints before exec
// comes by its pipe.
__attribute__((used, visibility("hidden"))) void jobtail_capture_vfork_child() {
  current.thread = nullptr;
  vforking.child->Install();
}

// In the parent, with what the system call returned.
__attribute__((used, visibility("hidden"))) pid_t jobtail_capture_vfork_parent(long result) {
  current.thread = std::exchange(vforking.thread, nullptr);
  vforking.child.reset();
  if (result >= 0) return static_cast<pid_t>(result);
  errno = static_cast<int>(-result);
  return -1;
}

}  // extern "C"

// The child returns before the parent, and then uses the stack: the return address waits in a
// register, of which each has its own.
__asm__(
    ".pushsection .text\n"
    ".globl vfork\n"
    ".type vfork, @function\n"
    "vfork:\n"
    "  subq $8, %rsp\n"
    "  call jobtail_capture_before_vfork\n"
    "  testb %al, %al\n"
    "  jne 1f\n"
    "  call jobtail_capture_real_vfork\n"
    "  addq $8, %rsp\n"
    "  jmp *%rax\n"
    "1:\n"
    "  addq $8, %rsp\n"
    "  popq %rdi\n"
    "  movl $58, %eax\n"
    "  syscall\n"
    "  pushq %rdi\n"
    "  subq $8, %rsp\n"
    "  testq %rax, %rax\n"
    "  jne 2f\n"
    "  call jobtail_capture_vfork_child\n"
    "  xorl %eax, %eax\n"
    "  addq $8, %rsp\n"
    "  ret\n"
    "2:\n"
    "  movq %rax, %rdi\n"
    "  call jobtail_capture_vfork_parent\n"
    "  addq $8, %rsp\n"
    "  ret\n"
    ".size vfork, .-vfork\n"
    ".popsection\n");

#elif defined(__x86_64__)

// ThreadSanitizer forks, too.
extern "C" __attribute__((used, visibility("hidden"))) void* jobtail_capture_vfork_target() {
  if (current.thread) return reinterpret_cast<void*>(&fork);
  return reinterpret_cast<void*>(Real<"vfork", pid_t()>());
}

__asm__(
    ".pushsection .text\n"
    ".globl vfork\n"
    ".type vfork, @function\n"
    "vfork:\n"
    "  subq $8, %rsp\n"
    "  call jobtail_capture_vfork_target\n"
    "  addq $8, %rsp\n"
    "  jmp *%rax\n"
    ".size vfork, .-vfork\n"
    ".popsection\n");

#else
JOBTAIL_INTERPOSE(pid_t, vfork, ()) { return fork(); }
#endif

}  // namespace jobtail::capture::internal
