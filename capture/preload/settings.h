// The environment variables of the preloaded library.
#ifndef JOBTAIL_CAPTURE_PRELOAD_SETTINGS_H_
#define JOBTAIL_CAPTURE_PRELOAD_SETTINGS_H_

#include <array>
#include <optional>
#include <string>

#include "capture/sink.h"

namespace jobtail::capture::preload {

// What the environment asks of the preloaded library:
//
//   JOBTAIL_CAPTURE_DIR=DIR   what each thread prints goes to DIR/<process id>.<thread id>.log
//   JOBTAIL_CAPTURE_TAG=1     whole lines to the real stdout and stderr, each after "[<thread>] "
//
// Neither: nothing but the C API. The first process to begin also leaves a note in the environment
// of what its stdout and stderr were, JOBTAIL_CAPTURE_OUTPUTS. A process that it starts is captured
// where it has inherited them; where they lead elsewhere, to a file or into a pipeline, somebody
// has redirected them, and expects to find there what is printed.
struct Settings {
  enum class Mode { kOff, kDirectory, kTag };

  // Leaves the note. If a value makes no sense, says so on stderr, takes it out of the environment,
  // so that the processes to come do not say it again, and returns kOff.
  static Settings FromEnvironment();

  bool Captures(Stream stream) const { return captured[stream == Stream::kStderr]; }

  Mode mode = Mode::kOff;
  std::string directory;  // absolute
  std::array<bool, 2> captured{true, true};
};

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_SETTINGS_H_
