// OpenMP: a parallel region's threads print where the thread does that has begun it. Its runtimes,
// GCC's and LLVM's, keep their threads for later regions, of other scopes or of none.

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "capture/interpose.h"
#include "capture/session.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {
namespace {

// Whether the function is one of this file's.
bool IsOwn(const void* function) {
  Dl_info info;
  Dl_info own;
  return dladdr(function, &info) && dladdr(reinterpret_cast<const void*>(&IsOwn), &own) &&
         info.dli_fbase == own.dli_fbase;
}

// The runtime's function `name`, for a call that comes back to `caller`. The runtime may have been
// loaded for one library alone, where the dynamic linker's order does not lead.
void* FindReal(const char* name, const void* caller) {
  if (void* const next = dlsym(RTLD_NEXT, name)) return next;
  Dl_info info;
  void* library = dladdr(caller, &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : nullptr;
  void* const found = library ? dlsym(library, name) : nullptr;
  if (found && !IsOwn(found)) return found;
  // The linker leaves out a runtime of which it has found all that the program calls, here.
  const bool is_llvms = std::string_view(name).starts_with("__kmpc");
  for (const char* runtime : {is_llvms ? "libomp.so.5" : "libgomp.so.1", "libomp.so"}) {
    library = dlopen(runtime, RTLD_LAZY | RTLD_GLOBAL);
    if (void* const function = library ? dlsym(library, name) : nullptr) return function;
  }
  fprintf(stderr, "jobtail: the OpenMP runtime that has %s is not there; link it (-fopenmp)\n",
          name);
  abort();
}

// Where the thread prints that begins a region.
std::shared_ptr<Session> CallersSession() {
  ThreadCapture* const thread = current.thread;
  const bool captured = thread && !thread->IsInside() && thread->IsOpen();
  return captured ? thread->shared_session() : nullptr;
}

// What a thread of the runtime's prints, for the region that it works for, and until it works for
// another one: tasks are also carried out behind the region's end.
class Worker {
 public:
  ~Worker() { Leave(); }

  // From now on the calling thread prints to `session`; null: to the real descriptors.
  void Enter(const std::shared_ptr<Session>& session) {
    ThreadCapture* const thread = current.thread;
    if (session ? thread && thread->IsOpen() && thread->shared_session() == session : !thread) {
      return;
    }
    Leave();
    current.thread = nullptr;
    if (!session) return;
    thread_ = std::make_unique<ThreadCapture>(session);
    current.thread = thread_.get();
  }

 private:
  void Leave() {
    if (thread_) ThreadCapture::End(std::move(thread_), nullptr);
  }

  std::unique_ptr<ThreadCapture> thread_;
};

// The thread that has begun the region prints where it does, in whatever it is: in a sink, too.
void EnterRegion(pthread_t beginner, const std::shared_ptr<Session>& session) {
  if (pthread_equal(beginner, pthread_self())) return;
  static thread_local Worker worker;
  worker.Enter(session);
}

// Once a captured thread has begun a region, the runtime's threads may be those of a scope.
constinit std::atomic<bool> threads_may_be_captured = false;

bool IsToBeWrapped() {
  if (current.thread) threads_may_be_captured.store(true, std::memory_order_relaxed);
  return threads_may_be_captured.load(std::memory_order_relaxed);
}

// --- GCC's: a region is a function of one argument.

using Body = void(void*);

struct Region {
  Body* body;
  void* data;
  std::shared_ptr<Session> session = CallersSession();
  pthread_t beginner = pthread_self();

  static void Run(void* argument) {
    const auto* const region = static_cast<const Region*>(argument);
    EnterRegion(region->beginner, region->session);
    region->body(region->data);
  }
};

// Calls the runtime's function `name` with `body` and what follows it, on threads of the region.
template <typename Result, typename... Rest>
Result BeginRegion(const char* name, const void* caller, Body* body, void* data, Rest... rest) {
  auto* const real = reinterpret_cast<Result (*)(Body*, void*, Rest...)>(FindReal(name, caller));
  if (!IsToBeWrapped()) return real(body, data, rest...);
  Region region{body, data};
  return real(Region::Run, &region, rest...);
}

}  // namespace

void LinkOpenMp() {}

#define JOBTAIL_BEGIN_REGION(result, name, ...) \
  return BeginRegion<result>(#name, __builtin_return_address(0), body, data, threads, __VA_ARGS__)

JOBTAIL_INTERPOSE(void, GOMP_parallel,
                  (Body * body, void* data, unsigned threads, unsigned flags)) {
  JOBTAIL_BEGIN_REGION(void, GOMP_parallel, flags);
}
JOBTAIL_INTERPOSE(unsigned, GOMP_parallel_reductions,
                  (Body * body, void* data, unsigned threads, unsigned flags)) {
  JOBTAIL_BEGIN_REGION(unsigned, GOMP_parallel_reductions, flags);
}
JOBTAIL_INTERPOSE(void, GOMP_parallel_sections,
                  (Body * body, void* data, unsigned threads, unsigned count, unsigned flags)) {
  JOBTAIL_BEGIN_REGION(void, GOMP_parallel_sections, count, flags);
}

#define JOBTAIL_INTERPOSE_LOOP(name)                                                             \
  JOBTAIL_INTERPOSE(void, name,                                                                  \
                    (Body * body, void* data, unsigned threads, long begin, long end, long step, \
                     long chunk, unsigned flags)) {                                              \
    JOBTAIL_BEGIN_REGION(void, name, begin, end, step, chunk, flags);                            \
  }
JOBTAIL_INTERPOSE_LOOP(GOMP_parallel_loop_static)
JOBTAIL_INTERPOSE_LOOP(GOMP_parallel_loop_dynamic)
JOBTAIL_INTERPOSE_LOOP(GOMP_parallel_loop_guided)
JOBTAIL_INTERPOSE_LOOP(GOMP_parallel_loop_nonmonotonic_dynamic)
JOBTAIL_INTERPOSE_LOOP(GOMP_parallel_loop_nonmonotonic_guided)

#define JOBTAIL_INTERPOSE_RUNTIME_LOOP(name)                                                     \
  JOBTAIL_INTERPOSE(void, name,                                                                  \
                    (Body * body, void* data, unsigned threads, long begin, long end, long step, \
                     unsigned flags)) {                                                          \
    JOBTAIL_BEGIN_REGION(void, name, begin, end, step, flags);                                   \
  }
JOBTAIL_INTERPOSE_RUNTIME_LOOP(GOMP_parallel_loop_runtime)
JOBTAIL_INTERPOSE_RUNTIME_LOOP(GOMP_parallel_loop_nonmonotonic_runtime)
JOBTAIL_INTERPOSE_RUNTIME_LOOP(GOMP_parallel_loop_maybe_nonmonotonic_runtime)

// --- LLVM's: a region is a function of two numbers and any number of pointers.

namespace {

constexpr size_t kFewPointers = 32;  // nearly every region has fewer
constexpr size_t kMostPointers = 512;

template <size_t>
using Pointer = void*;

using Microtask = void(int*, int*, ...);

struct LlvmRegion {
  Microtask* body;
  size_t count;
  void* const* pointers;
  std::shared_ptr<Session> session = CallersSession();
  pthread_t beginner = pthread_self();
};

// With the first so many pointers, which may be more than the function takes: its caller has put
// them where it does not look, and takes them away again.
template <size_t kCount>
void CallWith(const LlvmRegion& region, int* thread, int* bound) {
  [&]<size_t... kIndices>(std::index_sequence<kIndices...>) {
    using Fixed = void(int*, int*, Pointer<kIndices>...);
    reinterpret_cast<Fixed*>(region.body)(thread, bound, region.pointers[kIndices]...);
  }
  (std::make_index_sequence<kCount>());
}

template <size_t kCount = 8>
void Call(const LlvmRegion& region, int* thread, int* bound) {
  if constexpr (kCount < kMostPointers) {
    if (region.count > kCount) return Call<4 * kCount>(region, thread, bound);
  }
  CallWith<kCount>(region, thread, bound);
}

void RunLlvmRegion(int* thread, int* bound, LlvmRegion* region) {
  EnterRegion(region->beginner, region->session);
  Call(*region, thread, bound);
}

}  // namespace

JOBTAIL_INTERPOSE(void, __kmpc_fork_call, (void* place, int count, Microtask* body, ...)) {
  using Fork = void(void*, int, Microtask*, ...);
  auto* const real =
      reinterpret_cast<Fork*>(FindReal("__kmpc_fork_call", __builtin_return_address(0)));
  const auto pointers = static_cast<size_t>(count);
  if (pointers > kMostPointers) {
    fprintf(stderr,
            "jobtail: an OpenMP region with %d shared variables; at most %zu can be passed on\n",
            count, kMostPointers);
    abort();
  }
  std::array<void*, kMostPointers> all;
  std::fill_n(all.begin(), pointers <= kFewPointers ? kFewPointers : kMostPointers, nullptr);
  va_list arguments;
  va_start(arguments, body);
  for (size_t i = 0; i < pointers; ++i) all[i] = va_arg(arguments, void*);
  va_end(arguments);
  if (IsToBeWrapped()) {
    LlvmRegion region{body, pointers, all.data()};
    return real(place, 1, reinterpret_cast<Microtask*>(&RunLlvmRegion), &region);
  }
  // The runtime reads as many as it is told.
  const auto pass = [&]<size_t... kIndices>(std::index_sequence<kIndices...>) {
    real(place, count, body, all[kIndices]...);
  };
  if (pointers <= kFewPointers) return pass(std::make_index_sequence<kFewPointers>());
  pass(std::make_index_sequence<kMostPointers>());
}

}  // namespace jobtail::capture::internal
