// The executor of a job's function in a process of its own, on the server's side.
#ifndef JOBTAIL_SERVER_PROCESS_FUNCTION_PROCESS_H_
#define JOBTAIL_SERVER_PROCESS_FUNCTION_PROCESS_H_

#include <memory>

#include "server/process/command.h"
#include "server/process/process_pool.h"
#include "server/run/executor.h"
#include "server/run/job_options.h"

namespace jobtail::process {

// Executes a job's function in a process of its own: this program once more, with the arguments,
// environment and working directory that it has. It is a command like any other, with what child.h
// says added. Nothing of a run's parameters is in its arguments or environment.
class FunctionProcess : public Executor {
 public:
  // The pool outlives the runs.
  FunctionProcess(const ChildProcess& how, ProcessPool* pool);

  absl::Status Start(std::shared_ptr<Execution> run) const override;

 private:
  Command command_;  // without what is the run's
  ProcessPool* const pool_;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_FUNCTION_PROCESS_H_
