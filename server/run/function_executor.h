// Runs of C++ functions, each on a thread of its own.
#ifndef JOBTAIL_SERVER_RUN_FUNCTION_EXECUTOR_H_
#define JOBTAIL_SERVER_RUN_FUNCTION_EXECUTOR_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "server/run/executor.h"
#include "server/run/job_context.h"

namespace jobtail {

using JobFunction = std::function<JobResult(JobContext&)>;

// Calls `function`. An exception is a failure with the exception's text.
JobResult Call(const JobFunction& function, JobContext& context);

// The same, with what the thread prints meanwhile going to the run.
JobResult CallCaptured(const JobFunction& function, Execution& run);

// Calls a function, on a thread for each run.
class FunctionExecutor : public Executor {
 public:
  explicit FunctionExecutor(JobFunction function) : function_(std::move(function)) {}

  absl::Status Start(std::shared_ptr<Execution> run) const override;

  const JobFunction& function() const { return function_; }

 private:
  const JobFunction function_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_FUNCTION_EXECUTOR_H_
