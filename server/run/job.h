// A job: a name, parameters and options, and a function or another executor.
#ifndef JOBTAIL_SERVER_RUN_JOB_H_
#define JOBTAIL_SERVER_RUN_JOB_H_

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "base/time_span.h"
#include "capture/scope.h"
#include "server/run/job_context.h"
#include "server/run/job_function.h"
#include "server/run/job_options.h"
#include "server/run/parameter.h"

namespace jobtail {

namespace v1 {
class Job;
class Parameter;
}  // namespace v1

class Executor;
class FunctionExecutor;

// A C++ function that can be run, by name:
//
//   Job("countdown", [](JobContext& run) { ... })
//       .Help("Counts.")
//       .With(Parameter::Int("times").Default(10))
//
// The function is called once a run, on a thread of the run's own, for several runs at the same
// time. What it prints is the run's log. It returns nothing (success), an int (the exit code), or
// an absl::Status; an exception it throws is a failure with the exception's text. It should return
// soon after its stop token asks for it. It may own what can only be moved. It must not call exit,
// which ends the program: the run is FAILED then, and that is all that is seen to.
//
// A value, whose copies share the function; not thread-safe.
class Job {
 public:
  template <typename F>
  requires(!std::convertible_to<F, std::shared_ptr<const Executor>>)
      Job(std::string name, F callable)
      : Job(std::move(name), Function{Adapt(std::move(callable))}) {}

  // A job whose runs are executed in another way.
  Job(std::string name, std::shared_ptr<const Executor> executor);

  Job(const Job& other);
  Job(Job&& other) noexcept;
  Job& operator=(const Job& other);
  Job& operator=(Job&& other) noexcept;
  ~Job();

  Job& Help(std::string text);
  Job& With(const Parameter& parameter);
  Job& With(const v1::Parameter& parameter);
  // For people and programs to sort jobs by.
  Job& Label(const std::string& name, const std::string& value);
  // How long a run may take before it is asked to stop. Default: without limit.
  Job& Timeout(TimeSpan timeout);

  // What is caught of what the function prints, where the default is not enough: see
  // capture::Options, which has the prices, too. For functions that run on a thread; of a process
  // of its own everything is caught.
  //
  // With `private_descriptors` the function runs on a thread beside the run's own, and each line is
  // handed from one to the other, which takes some ten microseconds. What the server opens while
  // the function runs, that does not see; of what the server closes, its copies stay open until it
  // has returned: connections, the data directory's files. InChildProcess catches the same without
  // that. Where the system refuses it, the run is FAILED.
  Job& Capture(const capture::Options& options);

  // Calls the function in a process of its own for each run, so that a crash ends the run, FAILED
  // with the signal, and not the server; and so that a run that does not heed its stop token can be
  // killed. The result has the processor time and the memory of that process.
  //
  // The process is this program, started anew with the same arguments, environment and directory.
  // Its main does what it always does, but in place of Server::Start or AddTo, and whatever comes
  // after them, it calls the function; so nothing is shared with the server, no variable is as the
  // server has it now, and the same job must be added each time. Server::InChildProcess tells main
  // what to leave out. For a jobtail::Server, and before that is started; not for commands.
  Job& InChildProcess(const ChildProcess& how = {});

  // At the bound on what is printed and not stored yet, drop lines, with a gap that says which,
  // instead of letting the job wait: for jobs that must never be held up.
  Job& DropWhenFull();

  // How many runs of this job may be at work at once; more wait or are refused. Default: without
  // limit but the server's.
  Job& MaxRunning(int64_t runs);
  // How many runs may wait, as PENDING, for those at work to end. They start in order. Default: 0,
  // none; what cannot start at once is refused.
  Job& MaxQueued(int64_t runs);

  // Masks in the log what this pattern (RE2's syntax) finds in a line, beside the secrets among the
  // parameters. May be called several times. Unfinished lines are then shown once they are
  // finished.
  Job& Mask(std::string pattern);
  // Of lines that end in "\r", 10,000 at once and ten a second in the long run are kept, and all
  // that stand for a tenth of a second; the rest is a progress bar's, and a gap says how much it
  // was. KeepOverwritten keeps all of them, as data; ThinOverwritten only those that stand.
  Job& KeepOverwritten();
  Job& ThinOverwritten();

  // What is kept of this job's runs. Age and bytes of one log in place of the server's own limits,
  // the number beside that of the server.
  Job& KeepAge(TimeSpan age);
  Job& KeepRuns(int64_t runs);
  Job& KeepRunBytes(int64_t bytes);

  const JobOptions& options() const { return options_; }
  const std::string& name() const;
  const v1::Job& proto() const { return *proto_; }
  const Executor& executor() const { return *executor_; }
  // Null if it is not one.
  const JobFunction* function() const;
  // Has another executor execute it.
  void ExecuteBy(std::shared_ptr<const Executor> executor);
  absl::Duration timeout() const { return timeout_; }
  bool drops_when_full() const { return drops_when_full_; }

  // Whether the declaration makes sense: INVALID_ARGUMENT naming what does not.
  absl::Status Check() const;

 private:
  // So that no callable is taken for one.
  struct Function {
    JobFunction call;
  };

  Job(std::string name, Function function);

  // The function is shared: it need not be copyable.
  template <typename F>
  static JobFunction Adapt(F function) {
    constexpr bool takes_context = std::is_invocable_v<F&, JobContext&>;
    static_assert(takes_context,
                  "a job's function takes a JobContext&: [](jobtail::JobContext& run) { ... }");
    if constexpr (takes_context) {
      using Result = std::invoke_result_t<F&, JobContext&>;
      constexpr bool is_result = std::is_void_v<Result> || std::is_same_v<Result, int> ||
                                 std::is_same_v<Result, absl::Status>;
      static_assert(is_result, "a job returns void, int (its exit code) or absl::Status");
      return [shared = std::make_shared<F>(std::move(function))](JobContext& run) -> JobResult {
        if constexpr (std::is_void_v<Result>) {
          std::invoke(*shared, run);
          return {};
        } else if constexpr (is_result) {
          return ToResult(std::invoke(*shared, run));
        } else {
          return {};
        }
      };
    } else {
      return nullptr;
    }
  }
  static JobResult ToResult(int exit_code) { return {exit_code, ""}; }
  static JobResult ToResult(const absl::Status& status);

  std::unique_ptr<v1::Job> proto_;  // null once it is moved from
  std::shared_ptr<const FunctionExecutor> function_;
  std::shared_ptr<const Executor> executor_;
  absl::Duration timeout_ = absl::InfiniteDuration();
  bool drops_when_full_ = false;
  JobOptions options_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_H_
