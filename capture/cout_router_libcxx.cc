// What cout_router.cc is where the C++ library is libc++: its std::cout, cerr and clog write with
// the C library's fwrite whatever sync_with_stdio was told, so that there is nothing to lead
// elsewhere.

#include "capture/cout_router.h"

namespace jobtail::capture::internal {

void RouteUnsyncedStreams() {}
void RestoreUnsyncedStreams() {}
void LockRoutesForFork() {}
void UnlockRoutesAfterFork() {}

}  // namespace jobtail::capture::internal
