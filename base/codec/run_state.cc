// What a run's state says of it.
#include "base/codec/run_state.h"

namespace jobtail {

bool IsFinal(v1::RunState state) {
  switch (state) {
    case v1::RUN_STATE_SUCCEEDED:
    case v1::RUN_STATE_FAILED:
    case v1::RUN_STATE_CANCELLED:
    case v1::RUN_STATE_TIMED_OUT:
    case v1::RUN_STATE_LOST:
      return true;
    default:
      return false;
  }
}

}  // namespace jobtail
