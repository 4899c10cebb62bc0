// What is kept in memory of an ended run's parameters.
#ifndef JOBTAIL_SERVER_RUN_CUT_PARAMETERS_H_
#define JOBTAIL_SERVER_RUN_CUT_PARAMETERS_H_

#include <cstddef>

#include "jobtail/v1/run.pb.h"

namespace jobtail {

// The most bytes of one value, and of all names and values together.
inline constexpr size_t kMostValueBytes = 256;
inline constexpr size_t kMostParameterBytes = 2 << 10;

// Cuts the run's parameters short, those that come first by name last, and notes in the run what
// was cut. A name counts twice if its value is cut. What is cut already stays as it is.
void CutParameters(v1::Run* run);

// Whether CutParameters has left anything out.
bool HasCutParameters(const v1::Run& run);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_CUT_PARAMETERS_H_
