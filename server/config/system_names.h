// Names that the system gives meaning to: signals, users, I/O priorities, a library.
#ifndef JOBTAIL_SERVER_CONFIG_SYSTEM_NAMES_H_
#define JOBTAIL_SERVER_CONFIG_SYSTEM_NAMES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/process/command.h"

namespace jobtail::config {

// "SIGTERM" or "TERM"; nothing for a name that the system does not know.
std::optional<int> ParseSignal(const std::string& name);

// NOT_FOUND, with what would be right, for a name that the system does not know.
absl::StatusOr<process::User> LookUpUser(const std::string& name);

// "idle", "best-effort:N" or "realtime:N", N from 0 to 7, as ioprio_set(2) takes it.
std::optional<int> ParseIoPriority(const std::string& text);

// The library that makes the C library's stdio write line by line: that of coreutils' stdbuf.
std::optional<std::string> FindLineBufferLibrary();

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_SYSTEM_NAMES_H_
