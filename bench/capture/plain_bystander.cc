// The bystander in a program without capture.

#include "bench/capture/bystander.h"

namespace jobtail::bench {

void StandBy(std::binary_semaphore& end) { end.acquire(); }

}  // namespace jobtail::bench
