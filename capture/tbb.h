// The capture of oneTBB's worker threads while they do a captured thread's work.
#ifndef JOBTAIL_CAPTURE_TBB_H_
#define JOBTAIL_CAPTURE_TBB_H_

#include <oneapi/tbb/task_scheduler_observer.h>

#include <memory>
#include <mutex>
#include <vector>

#include "capture/context.h"

namespace jobtail::capture {

// oneTBB, and with it the parallel algorithms of libstdc++, run everybody's work on one set of
// worker threads, which belong to no run. While an observer lives, workers that help the thread
// that made it print where that thread prints:
//
//   TbbObserver observer;
//   std::for_each(std::execution::par, items.begin(), items.end(), Process);
//
// Header only: this is the only part of the library that needs oneTBB.
class TbbObserver : public oneapi::tbb::task_scheduler_observer {
 public:
  TbbObserver() { observe(true); }
  // Waits for workers that are just entering or leaving. Workers that stay go on without it.
  ~TbbObserver() override {
    observe(false);
    const std::lock_guard lock(mutex_);
    for (Entered* entered : entered_) entered->Detach();
  }

  void on_scheduler_entry(bool is_worker) override {
    if (!is_worker) return;
    EnteredStack& stack = ThisThreads();
    stack.DropDetached();
    const std::lock_guard lock(mutex_);
    entered_.push_back(stack.entered.emplace_back(std::make_unique<Entered>(context_)).get());
  }

  void on_scheduler_exit(bool is_worker) override {
    EnteredStack& stack = ThisThreads();
    if (!is_worker || stack.entered.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      if (std::erase(entered_, stack.entered.back().get()) == 0) return;
    }
    stack.entered.pop_back();
  }

 private:
  // What a worker has entered, the innermost last; on a worker, arenas nest.
  struct EnteredStack {
    ~EnteredStack() {
      while (!entered.empty()) entered.pop_back();
    }
    // What observers have left behind that are gone.
    void DropDetached() {
      while (!entered.empty() && entered.back()->IsDetached()) entered.pop_back();
    }
    std::vector<std::unique_ptr<Entered>> entered;
  };

  static EnteredStack& ThisThreads() {
    thread_local EnteredStack stack;
    return stack;
  }

  const Context context_ = Context::Current();
  std::mutex mutex_;
  std::vector<Entered*> entered_;  // of all workers
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_TBB_H_
