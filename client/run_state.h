// The states of runs: their names, which are final, and the exit codes they stand for.
#ifndef JOBTAIL_CLIENT_RUN_STATE_H_
#define JOBTAIL_CLIENT_RUN_STATE_H_

#include "base/codec/run_state.h"
#include "jobtail/v1/run.pb.h"

namespace jobtail::client {

// The exit code of a program that could not do its own work: no server, an unknown run, wrong
// usage; also that of a run whose end nobody saw (LOST).
inline constexpr int kExitOwnFailure = 125;

// "RUNNING", "FAILED", ...: the state's name without its prefix. "UNKNOWN" for a value that this
// program does not know.
const char* StateName(v1::RunState state);

using jobtail::IsFinal;

// The exit code of a program that stands for the run, from 0 to 255:
//   killed by signal n: 128 + n; SUCCEEDED: the job's own exit code, as a rule 0;
//   FAILED, CANCELLED, TIMED_OUT: the job's own or, where that is 0, 1, 130 and 124; LOST: 125.
// A code that does not fit, below 0 or above 255, becomes 255: a failure never looks like a
// success.
int ExitCode(const v1::RunResult& result);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_RUN_STATE_H_
