// The state of the standard C++ streams, kept from one run's leaving it to the next.
#ifndef JOBTAIL_CAPTURE_STREAM_STATE_H_
#define JOBTAIL_CAPTURE_STREAM_STATE_H_

namespace jobtail::capture::internal {

// std::cout and its kin are objects of the whole process: a run whose cout has failed, or that left
// it at std::hex, would do this to every run after it. A scope therefore begins with streams that
// have no error, and the end of the last open one leaves errors, exceptions(), format, tie and
// locale as the first one found them. Where scopes overlap, they share all but the error of the
// past.
//
// The calls come in pairs. Thread-safe among themselves; a stream's format is written only where
// it has changed, when no scope is open any more.
void BeginStreamState();
void EndStreamState();

// Around fork(): no other thread is in one of these then.
void LockStreamStateForFork();
void UnlockStreamStateAfterFork();

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_STREAM_STATE_H_
