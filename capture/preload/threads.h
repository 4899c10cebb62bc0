// The capture of all threads of a program that was started with the preloaded library.
#ifndef JOBTAIL_CAPTURE_PRELOAD_THREADS_H_
#define JOBTAIL_CAPTURE_PRELOAD_THREADS_H_

#include "capture/preload/settings.h"

namespace jobtail::capture::preload {

// From here on the calling thread, and all threads that captured ones start, write down what they
// print. To be called once, before the program's own code.
void CaptureAllThreads(const Settings& settings);

// Writes down what all threads have left unfinished. What they print from now on goes to the real
// outputs.
void EndAllThreads();

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_THREADS_H_
