// The states of runs, and the exit codes that stand for them.

#include "client/run_state.h"

namespace jobtail::client {
namespace {

// The code of a run that ended in this state without naming one.
int DefaultExitCode(v1::RunState state) {
  switch (state) {
    case v1::RUN_STATE_SUCCEEDED:
      return 0;
    case v1::RUN_STATE_FAILED:
      return 1;
    case v1::RUN_STATE_CANCELLED:
      return 130;
    case v1::RUN_STATE_TIMED_OUT:
      return 124;
    default:
      return kExitOwnFailure;
  }
}

}  // namespace

const char* StateName(v1::RunState state) {
  switch (state) {
    case v1::RUN_STATE_PENDING:
      return "PENDING";
    case v1::RUN_STATE_RUNNING:
      return "RUNNING";
    case v1::RUN_STATE_SUCCEEDED:
      return "SUCCEEDED";
    case v1::RUN_STATE_FAILED:
      return "FAILED";
    case v1::RUN_STATE_CANCELLED:
      return "CANCELLED";
    case v1::RUN_STATE_TIMED_OUT:
      return "TIMED_OUT";
    case v1::RUN_STATE_LOST:
      return "LOST";
    default:
      return "UNKNOWN";
  }
}

int ExitCode(const v1::RunResult& result) {
  if (result.state() == v1::RUN_STATE_LOST) return kExitOwnFailure;
  if (result.signal() > 0) return result.signal() < 128 ? 128 + result.signal() : 255;
  if (result.exit_code() == 0) return DefaultExitCode(result.state());
  return result.exit_code() > 0 && result.exit_code() < 256 ? result.exit_code() : 255;
}

}  // namespace jobtail::client
