// Runs of C++ functions, each on a thread of its own.
#ifndef JOBTAIL_SERVER_RUN_FUNCTION_EXECUTOR_H_
#define JOBTAIL_SERVER_RUN_FUNCTION_EXECUTOR_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "capture/scope.h"
#include "server/run/executor.h"
#include "server/run/job_context.h"
#include "server/run/job_function.h"

namespace jobtail {

// Calls `function`. An exception is a failure with the exception's text.
JobResult Call(const JobFunction& function, JobContext& context);

// Calls a function, on a thread for each run, whose output is the run's.
//
// Hazard: a thread with descriptors of its own (capture::Options::private_descriptors) must touch
// neither the store nor a connection, whose descriptors may mean something else to it, or nothing.
// So a run with these has two threads: what the function's prints and reports, the other hands on.
class FunctionExecutor : public Executor {
 public:
  explicit FunctionExecutor(JobFunction function, const capture::Options& capture = {})
      : function_(std::move(function)), capture_(capture) {}

  absl::Status Start(std::shared_ptr<Execution> run) const override;

  const JobFunction& function() const { return function_; }

 private:
  const JobFunction function_;
  const capture::Options capture_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_FUNCTION_EXECUTOR_H_
