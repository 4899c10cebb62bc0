// sigaction and signal: signal handlers of the program run inside one of ours, which says so, for a
// handler may have interrupted anything, also this library. What a handler prints on a captured
// thread is put aside and handed on after it. The program gets its own handlers back when it asks.

#include <setjmp.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "capture/current.h"
#include "capture/handler_frame.h"
#include "capture/interpose.h"
#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

using Action = void(int, siginfo_t*, void*);
using Handler = void (*)(int);
using SigactionFunction = int(int, const struct sigaction*, struct sigaction*);

// The program's handler of each signal, whichever of the two kinds it is: a Handler or an Action.
constinit std::array<std::atomic<void*>, NSIG> handlers{};

std::atomic<void*>& HandlerOf(int signal) { return handlers[static_cast<size_t>(signal)]; }

// Pointers to functions of different types, as the kernel and struct sigaction treat them.
template <typename To, typename From>
To As(From function) {
  return reinterpret_cast<To>(reinterpret_cast<void*>(function));
}

void RunHandler(int signal) {
  const auto handler = As<Handler>(HandlerOf(signal).load());
  if (!current.thread) return handler(signal);
  const HandlerFrame frame;
  handler(signal);
}

void RunAction(int signal, siginfo_t* info, void* context) {
  const auto action = As<Action*>(HandlerOf(signal).load());
  if (!current.thread) return action(signal, info, context);
  const HandlerFrame frame;
  action(signal, info, context);
}

bool IsFunction(Handler handler) {
  return handler != SIG_DFL && handler != SIG_IGN && handler != SIG_ERR && handler != SIG_HOLD;
}

bool IsOurs(Handler handler) { return handler == RunHandler || handler == As<Handler>(RunAction); }

bool IsValid(int signal) { return 0 < signal && signal < NSIG; }

// Puts ours in front of the program's `handler`: returns what the kernel is to be told.
Handler Wrap(int signal, Handler handler, bool has_info) {
  if (!IsFunction(handler)) return handler;
  HandlerOf(signal).store(As<void*>(handler));
  return has_info ? As<Handler>(RunAction) : RunHandler;
}

}  // namespace

void LinkSignals() {}

JOBTAIL_INTERPOSE(int, sigaction,
                  (int signal, const struct sigaction* action, struct sigaction* before)) {
  const auto real = Real<"sigaction", SigactionFunction>();
  // Called by signal() of the C library, or a sanitizer's: ours has done its part.
  const bool is_inner = action && IsOurs(action->sa_handler);
  if (!IsValid(signal) || is_inner) return real(signal, action, before);
  void* const program_before = HandlerOf(signal).load();
  struct sigaction ours;
  if (action) {
    ours = *action;
    ours.sa_handler = Wrap(signal, action->sa_handler, action->sa_flags & SA_SIGINFO);
  }
  const int result = real(signal, action ? &ours : nullptr, before);
  if (result != 0 && action) HandlerOf(signal).store(program_before);
  if (result == 0 && before && IsOurs(before->sa_handler)) {
    before->sa_handler = As<Handler>(program_before);
  }
  return result;
}

#define JOBTAIL_INTERPOSE_SIGNAL(name)                                              \
  JOBTAIL_INTERPOSE(Handler, name, (int signal, Handler handler)) {                 \
    const auto real = Real<#name, Handler(int, Handler)>();                         \
    if (!IsValid(signal)) return real(signal, handler);                             \
    void* const program_before = HandlerOf(signal).load();                          \
    const Handler before = real(signal, Wrap(signal, handler, /*has_info=*/false)); \
    if (before == SIG_ERR) HandlerOf(signal).store(program_before);                 \
    return IsOurs(before) ? As<Handler>(program_before) : before;                   \
  }
JOBTAIL_INTERPOSE_SIGNAL(signal)
JOBTAIL_INTERPOSE_SIGNAL(bsd_signal)
JOBTAIL_INTERPOSE_SIGNAL(sysv_signal)
JOBTAIL_INTERPOSE_SIGNAL(__sysv_signal)
JOBTAIL_INTERPOSE_SIGNAL(sigset)

// A handler may be left by jumping out of it.
#define JOBTAIL_INTERPOSE_LONGJMP(name)                                            \
  JOBTAIL_INTERPOSE(void, name, (struct __jmp_buf_tag * environment, int value)) { \
    LeaveHandlers();                                                               \
    Real<#name, void(struct __jmp_buf_tag*, int)>()(environment, value);           \
    __builtin_unreachable();                                                       \
  }
JOBTAIL_INTERPOSE_LONGJMP(longjmp)
JOBTAIL_INTERPOSE_LONGJMP(_longjmp)
JOBTAIL_INTERPOSE_LONGJMP(siglongjmp)
JOBTAIL_INTERPOSE_LONGJMP(__longjmp_chk)

}  // namespace jobtail::capture::internal
