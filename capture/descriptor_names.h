// Paths that mean a descriptor of this process.
#ifndef JOBTAIL_CAPTURE_DESCRIPTOR_NAMES_H_
#define JOBTAIL_CAPTURE_DESCRIPTOR_NAMES_H_

#include <optional>

namespace jobtail::capture::internal {

// The descriptor that opening `name` (from `directory`, as openat has it) means: /dev/stdout,
// /dev/fd/N, /proc/PID/fd/N, however it is written, and what is a symbolic link to one of these.
// Leaves errno alone. Costs one system call for a name that is no symbolic link.
std::optional<int> NamedDescriptor(int directory, const char* name);

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_DESCRIPTOR_NAMES_H_
