// A job: a name, parameters and options, and a function or another executor.
#ifndef JOBTAIL_SERVER_RUN_JOB_H_
#define JOBTAIL_SERVER_RUN_JOB_H_

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/map.h"
#include "jobtail/v1/job.pb.h"
#include "server/run/executor.h"
#include "server/run/function_executor.h"
#include "server/run/job_context.h"
#include "server/run/job_options.h"
#include "server/run/parameter.h"

namespace jobtail {

// A C++ function that can be run, by name:
//
//   Job("countdown", [](JobContext& run) { ... })
//       .Help("Counts.")
//       .With(Parameter::Int("times").Default(10))
//
// The function is called once a run, on a thread of the run's own, for several runs at the same
// time. What it prints is the run's log. It returns nothing (success), an int (the exit code), or
// an absl::Status; an exception it throws is a failure with the exception's text. It should return
// soon after its stop token asks for it.
class Job {
 public:
  template <std::invocable<JobContext&> F>
  Job(std::string name, F callable)
      : function_(std::make_shared<const FunctionExecutor>(Adapt(std::move(callable)))),
        executor_(function_) {
    proto_.set_name(std::move(name));
  }

  // A job whose runs are executed in another way.
  Job(std::string name, std::shared_ptr<const Executor> executor) : executor_(std::move(executor)) {
    proto_.set_name(std::move(name));
  }

  Job& Help(std::string text);
  Job& With(const Parameter& parameter);
  Job& With(const v1::Parameter& parameter);
  // For people and programs to sort jobs by.
  Job& Label(const std::string& name, const std::string& value);
  // How long a run may take before it is asked to stop. Default: without limit.
  Job& Timeout(absl::Duration timeout);

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
  Job& KeepAge(absl::Duration age);
  Job& KeepRuns(int64_t runs);
  Job& KeepRunBytes(int64_t bytes);

  const JobOptions& options() const { return options_; }
  const std::string& name() const { return proto_.name(); }
  const v1::Job& proto() const { return proto_; }
  const Executor& executor() const { return *executor_; }
  // Null if it is not one.
  const JobFunction* function() const { return function_ ? &function_->function() : nullptr; }
  // Has another executor execute it.
  void ExecuteBy(std::shared_ptr<const Executor> executor) { executor_ = std::move(executor); }
  absl::Duration timeout() const { return timeout_; }
  bool drops_when_full() const { return drops_when_full_; }

  // Whether the declaration makes sense: INVALID_ARGUMENT naming what does not.
  absl::Status Check() const;

  // Reads a request's parameters and fills in the defaults. INVALID_ARGUMENT for one that is
  // unknown, missing or wrong.
  absl::StatusOr<ParameterValues> Parse(
      const google::protobuf::Map<std::string, std::string>& given) const;

 private:
  template <typename F>
  static JobFunction Adapt(F function) {
    using Result = std::invoke_result_t<F&, JobContext&>;
    static_assert(std::is_void_v<Result> || std::is_same_v<Result, int> ||
                      std::is_same_v<Result, absl::Status>,
                  "a job returns void, int (its exit code) or absl::Status");
    return [function = std::move(function)](JobContext& run) mutable -> JobResult {
      if constexpr (std::is_void_v<Result>) {
        function(run);
        return {};
      } else {
        return ToResult(function(run));
      }
    };
  }
  static JobResult ToResult(int exit_code) { return {exit_code, ""}; }
  static JobResult ToResult(const absl::Status& status);
  std::string ParameterNames() const;

  v1::Job proto_;
  std::shared_ptr<const FunctionExecutor> function_;
  std::shared_ptr<const Executor> executor_;
  absl::Duration timeout_ = absl::InfiniteDuration();
  bool drops_when_full_ = false;
  JobOptions options_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_H_
