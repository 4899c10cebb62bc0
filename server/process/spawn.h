// The start of a supervisor with its command.
#ifndef JOBTAIL_SERVER_PROCESS_SPAWN_H_
#define JOBTAIL_SERVER_PROCESS_SPAWN_H_

#include <sys/types.h>

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/process/cgroup.h"
#include "server/process/command.h"
#include "server/process/descriptor.h"
#include "server/process/outputs.h"

namespace jobtail::process {

// A supervisor at work: see supervisor.cc.
struct SupervisedCommand {
  pid_t supervisor = -1;  // to be waited for once `control` has ended
  Descriptor control;     // not blocking; protocol.h has what goes over it
  Descriptor channel;     // not blocking; of a command that calls a function
  std::vector<Output> outputs;
};

// Starts a supervisor for the command. RESOURCE_EXHAUSTED if the system has nothing left for it.
// What the command itself lacks, events tell.
// It is in `cgroup`, unless that is null.
absl::StatusOr<SupervisedCommand> Spawn(const Command& command, const Cgroup* cgroup);

// To be called for each supervisor once it has been waited for.
void ForgetSupervisor(pid_t supervisor);

// Calls the function for each child of this process that is no supervisor. None becomes one
// meanwhile.
void ForEachOtherChild(const std::function<void(pid_t)>& function);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_SPAWN_H_
