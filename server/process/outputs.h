// The pipes or pseudo-terminals that a command prints to.
#ifndef JOBTAIL_SERVER_PROCESS_OUTPUTS_H_
#define JOBTAIL_SERVER_PROCESS_OUTPUTS_H_

#include <array>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "capture/sink.h"
#include "server/process/command.h"
#include "server/process/descriptor.h"

namespace jobtail::process {

// One descriptor, not blocking, on which a process's output can be read.
struct Output {
  Descriptor fd;
  capture::Stream stream = capture::Stream::kStdout;
  // Of kExact. Anybody on the machine can send to `fd`, so what comes from any other address than
  // the command's two sockets is dropped. `senders` are those sockets: while they are open, nobody
  // else can take their addresses. Not by their user: a command may have become another one.
  std::string output_address;
  std::string error_address;
  std::array<Descriptor, 2> senders;
  // Of kTerminal: its other side. While it is open the terminal is there for whoever comes back to
  // it, and the command is not hung up on, though nobody else may have it open for a while.
  Descriptor terminal;
  bool datagrams = false;

  enum class State {
    kData,     // `*size` bytes, perhaps none, of `*from`
    kForeign,  // something that is not the command's
    kEmpty,    // nothing now
    kEnd,      // nothing ever again
  };
  // `from_fd` is `fd`, whoever owns it by now.
  State Read(int from_fd, std::span<char> room, capture::Stream* from, size_t* size) const;
};

// Both sides of a process's standard descriptors.
struct Outputs {
  std::vector<Output> ours;
  std::array<Descriptor, 3> theirs;  // to be its descriptors 0, 1, 2
};

// How much a single write of kExact may have, in bytes.
inline constexpr size_t kMaxDatagramBytes = 1 << 20;

// Opens them as `mode` says; descriptor 0 reads `input`.
// RESOURCE_EXHAUSTED if the system has none left.
absl::StatusOr<Outputs> OpenOutputs(OutputMode mode, const std::string& input);

// A file in memory that reads as `bytes`, open at its beginning. Nobody can execute it.
absl::StatusOr<Descriptor> MakeFile(const char* name, const std::string& bytes);

// A file without a name that can be executed by way of /proc/self/fd: in memory, or, where the
// system allows none such there, in a directory for temporary files.
absl::StatusOr<Descriptor> MakeProgram(const char* name, const std::string& bytes);

// RESOURCE_EXHAUSTED if there are not as many descriptors left as it takes to start a command.
absl::Status CheckDescriptors();

// An error for the call that has just failed, with errno.
absl::Status SystemError(const char* what);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_OUTPUTS_H_
