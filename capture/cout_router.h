// The stream buffer put before std::cout, cerr and clog where they bypass the C library.
#ifndef JOBTAIL_CAPTURE_COUT_ROUTER_H_
#define JOBTAIL_CAPTURE_COUT_ROUTER_H_

namespace jobtail::capture::internal {

// After std::ios::sync_with_stdio(false), std::cout, cerr and clog have buffers of their own,
// shared by all threads. Puts in front of them a stream buffer that hands a captured thread's
// output to its session and everything else on to the buffer that was there. By default, and if the
// program has put a stream buffer of its own there, does nothing: the standard streams then end in
// the C functions, which are interposed, or are not ours.
//
// Like sync_with_stdio itself, the first such call and the last undoing must not race with other
// threads' output on these streams.
void RouteUnsyncedStreams();

// Undoes it when it has been called as often.
void RestoreUnsyncedStreams();

// Around fork(): no other thread is in one of these then.
void LockRoutesForFork();
void UnlockRoutesAfterFork();

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_COUT_ROUTER_H_
