// The child's side of a job function in a process of its own.
#ifndef JOBTAIL_SERVER_PROCESS_CHILD_H_
#define JOBTAIL_SERVER_PROCESS_CHILD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/run/job.h"

namespace jobtail::process {

// The other side of function_process.h: this program once more, started to call one job's function.
// Its main does what it always does until it starts its server, so that the job is there; then, in
// place of that, CallJob.
//
// What they say to each other: on descriptor 0 is the v1.Run to be, with its parameters, secrets
// too. On kCommandChannelFd go v1.LogLine messages back, with progress and at last the result.

// The environment variable that tells a child that it is one.
inline constexpr char kChildVariable[] = "JOBTAIL_CHILD";

// How large such a message may be, in bytes.
inline constexpr size_t kMaxMessageBytes = 32 << 10;

// Whether this process is such a child. The first call must come before other threads use the
// environment: it takes the variable out, so that no program that the child starts takes itself for
// one.
bool IsChild();

// Reads the run, has `find` find its job, calls the function on this thread and ends the process.
// The stop signal asks the job's stop token to stop.
[[noreturn]] void CallJob(
    const std::function<absl::StatusOr<std::shared_ptr<const Job>>(const std::string&)>& find);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_CHILD_H_
