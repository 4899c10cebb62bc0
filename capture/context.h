// The handle by which work takes its capture along to another thread.
#ifndef JOBTAIL_CAPTURE_CONTEXT_H_
#define JOBTAIL_CAPTURE_CONTEXT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "capture/scope.h"

// How work keeps its capture where it changes threads: a thread pool that was there before, a
// coroutine.

namespace jobtail::capture {

// Where the thread that asked prints to: the innermost scope on it, or nothing. Copied freely, used
// on any thread, also after the scope has ended: then it stands for nothing.
class Context {
 public:
  // Nothing: who enters it prints where the thread printed anyway.
  Context() = default;

  static Context Current();

  // Which scope it is: no other has the same while this lives. Null: none.
  const void* scope() const { return session_.get(); }
  // That of which the calling thread was until its thread_local objects were destroyed: for what is
  // called at exit. Null: it was of none, or still is.
  static const void* LastScope();

  // Prints `text` to the scope's sink, from any thread, as a captured thread would that ends after
  // it: whole lines at once, the rest as an unfinished one. For libraries that hold on to where
  // their caller prints to. False, with nothing printed, once the scope has ended, and for nothing.
  // May block as the sink does.
  bool Print(std::string_view text, Stream stream = Stream::kStdout) const;

  // Does what the end of the scope does, on any thread, before that: hands on every thread's
  // unfinished line, and waits for calls of the sink that are under way. What is printed from then
  // on goes to the real descriptors. For the last moments of a process; by a thread that has the
  // scope's descriptors, where these are private.
  void End() const;

 private:
  friend class Entered;
  explicit Context(std::shared_ptr<internal::Session> session) : session_(std::move(session)) {}

  std::shared_ptr<internal::Session> session_;
};

// While it lives, the thread that made it prints to `context`. Nests and ends like a Scope:
//
//   const Context context = Context::Current();
//   pool.Submit([context] {
//     Entered entered(context);
//     std::cout << "to the sink of whoever submitted this" << std::endl;
//   });
//
// In a coroutine that may go on on another thread, neither a Scope nor an Entered may live across a
// co_await. Take the Context before, and enter it again after.
class Entered {
 public:
  explicit Entered(const Context& context);
  ~Entered();

  // Ends what it does, from any thread: the one that made it prints where it printed before. Waits
  // for a call of the sink that is under way.
  void Detach();
  bool IsDetached() const { return detached_.load(std::memory_order_acquire); }

  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  std::unique_ptr<internal::ThreadCapture> thread_;  // null: nothing to enter
  internal::ThreadCapture* previous_;
  std::atomic<bool> detached_ = false;
};

// A callable that does what `function` does, and prints where the thread that called Bind prints:
//
//   pool.Submit(Bind([] { puts("captured"); }));
template <typename Function>
auto Bind(Function&& function) {
  return [context = Context::Current(), function = std::forward<Function>(function)](
             auto&&... arguments) mutable -> decltype(auto) {
    Entered entered(context);
    return std::invoke(function, std::forward<decltype(arguments)>(arguments)...);
  };
}

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_CONTEXT_H_
