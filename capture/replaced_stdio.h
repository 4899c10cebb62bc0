// Streams in place of `stdout` and `stderr`, for code that uses their buffers directly.
#ifndef JOBTAIL_CAPTURE_REPLACED_STDIO_H_
#define JOBTAIL_CAPTURE_REPLACED_STDIO_H_

namespace jobtail::capture::internal {

// Puts streams of the library's own into the variables `stdout` and `stderr`, as long as it has
// been asked for more often than it has been undone. See Options::replace_stdio. Thread-safe.
void ReplaceStdio();
void RestoreStdio();

// Around fork(): no other thread is in one of these then.
void LockReplacedStdioForFork();
void UnlockReplacedStdioAfterFork();

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_REPLACED_STDIO_H_
