// The second thread of a capture benchmark, without which locks would cost less than they do.
#ifndef JOBTAIL_BENCH_CAPTURE_BYSTANDER_H_
#define JOBTAIL_BENCH_CAPTURE_BYSTANDER_H_

#include <semaphore>

namespace jobtail::bench {

// What another thread does until `end`, while a program measures: nothing, in a scope of its own
// where the program has the capture library. Without a second thread, the C library and the kernel
// would spare a program some locks, some 20 ns a call.
void StandBy(std::binary_semaphore& end);

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_CAPTURE_BYSTANDER_H_
