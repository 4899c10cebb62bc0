// What a run's state says of it.
#ifndef JOBTAIL_BASE_CODEC_RUN_STATE_H_
#define JOBTAIL_BASE_CODEC_RUN_STATE_H_

#include "jobtail/v1/run.pb.h"

namespace jobtail {

// Whether a run in this state has ended. A state that this program does not know is not taken for
// an end.
bool IsFinal(v1::RunState state);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CODEC_RUN_STATE_H_
