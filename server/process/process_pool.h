// The threads on which all commands are followed.
#ifndef JOBTAIL_SERVER_PROCESS_PROCESS_POOL_H_
#define JOBTAIL_SERVER_PROCESS_PROCESS_POOL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/process/cgroup.h"
#include "server/process/command.h"
#include "server/process/strays.h"
#include "server/run/executor.h"

namespace jobtail::process {

// Runs commands and reads what they print, all of them on a few threads; another looks for what
// commands have left behind, which takes long. Where a run begins and ends, it has a thread of its
// own for a moment: that waits for the store. Thread-safe. Outlives every run that it executes.
class ProcessPool {
 public:
  using KillStraysFunction = std::function<int(const std::string& variable)>;

  // `kill_strays` is for tests.
  explicit ProcessPool(KillStraysFunction kill_strays = KillStrays);
  // No run may be at work.
  ~ProcessPool();

  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  // Has each run in a control group of its own from now on. Before the first run.
  void UseCgroups(std::optional<Cgroups> cgroups);

  // Executes the command as `run`. Does not wait for anything: what goes wrong is the run's result.
  void Start(Command command, std::shared_ptr<Execution> run);

 private:
  class Threads;
  const std::unique_ptr<Threads> threads_;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_PROCESS_POOL_H_
