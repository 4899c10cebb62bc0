// libjobtail_capture.so, for LD_PRELOAD: capture for programs that were not linked with it. What
// the environment can ask for is in settings.h, what a program itself can, in capture/c_api.h.

#include <ios>

#include "capture/preload/settings.h"
#include "capture/preload/threads.h"

namespace jobtail::capture::preload {
namespace {

// Before the program's own constructors and after those of the libraries that this one needs.
__attribute__((constructor)) void Begin() {
  const std::ios_base::Init streams;  // std::cout may not have been made yet
  const Settings settings = Settings::FromEnvironment();
  if (settings.mode != Settings::Mode::kOff) CaptureAllThreads(settings);
}

// After the program's static destructors and what it has registered with atexit.
__attribute__((destructor)) void End() { EndAllThreads(); }

}  // namespace
}  // namespace jobtail::capture::preload
