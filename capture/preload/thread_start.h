// The hook that the start of a thread has for the preloaded library.
#ifndef JOBTAIL_CAPTURE_PRELOAD_THREAD_START_H_
#define JOBTAIL_CAPTURE_PRELOAD_THREAD_START_H_

namespace jobtail::capture::preload {

// Whether a thread that the calling thread starts is to write down by itself what it prints. Not
// so for threads of this library, nor where the calling thread is in a scope that was opened
// through the C API: that one covers the new thread as well.
bool CapturesNewThreads();

// Called first of all by such a thread.
void CaptureNewThread();

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_THREAD_START_H_
