// Which run a thread works for, and what becomes of a run whose job ends the program.
#ifndef JOBTAIL_SERVER_RUN_CURRENT_RUN_H_
#define JOBTAIL_SERVER_RUN_CURRENT_RUN_H_

#include <functional>
#include <memory>

#include "capture/context.h"
#include "server/run/job_context.h"

namespace jobtail {

// While it lives, the calling thread works for a run, and so does every thread that prints to the
// same capture scope. Made right within that scope and destroyed by the same thread, innermost
// first; its end closes the context.
//
// A job that calls exit ends the program. Before that, its context and its scope are closed, which
// hands on what it has printed, and then `at_exit` is called by `run_uncaptured`. The thread
// that exits waits for all this, kExitPatience at most.
class CurrentRun {
 public:
  static constexpr absl::Duration kExitPatience = absl::Seconds(3);

  // What takes a function to another thread, which is captured by nobody.
  using RunUncaptured = std::function<void(std::function<void()>)>;
  // Called once at most, with the program's exit code.
  using AtExit = std::function<void(int exit_code)>;

  CurrentRun(std::shared_ptr<JobContext> context, RunUncaptured run_uncaptured, AtExit at_exit);
  ~CurrentRun();

  CurrentRun(const CurrentRun&) = delete;
  CurrentRun& operator=(const CurrentRun&) = delete;

  // Every thread of this process is the run's, to its end.
  static void TakeProcess(std::shared_ptr<JobContext> context);

  // See JobContext::Current.
  static std::shared_ptr<JobContext> Context();

 private:
  struct Entry;
  class Table;

  static std::shared_ptr<Entry> Find();
  static void EndAtExit(int exit_code, void* unused);

  const std::shared_ptr<Entry> entry_;
  const void* const outer_;  // the scope that the thread belonged to before; null: to none
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_CURRENT_RUN_H_
