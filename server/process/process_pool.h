#ifndef JOBTAIL_SERVER_PROCESS_PROCESS_POOL_H_
#define JOBTAIL_SERVER_PROCESS_PROCESS_POOL_H_

#include <memory>

#include "server/process/command.h"
#include "server/run/executor.h"

namespace jobtail::process {

// Runs commands and reads what they print, all of them on a few threads. Thread-safe. Outlives
// every run that it executes.
class ProcessPool {
 public:
  ProcessPool();
  // No run may be at work.
  ~ProcessPool();

  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  // Executes the command as `run`. Does not wait for anything: what goes wrong is the run's result.
  void Start(Command command, std::shared_ptr<Execution> run);

 private:
  class Threads;
  const std::unique_ptr<Threads> threads_;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_PROCESS_POOL_H_
