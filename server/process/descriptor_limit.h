// The limit of open files: the server's, and what it was before.
#ifndef JOBTAIL_SERVER_PROCESS_DESCRIPTOR_LIMIT_H_
#define JOBTAIL_SERVER_PROCESS_DESCRIPTOR_LIMIT_H_

#include <cstdint>
#include <optional>

namespace jobtail::process {

// Raises this process's soft limit of open files to the hard one. Commands still start with what it
// was: many a program closes, or watches with select(2), all descriptors that it may have. To be
// called before there are other threads.
void RaiseDescriptorLimit();

// What the soft limit was; nothing if it has not been raised.
std::optional<uint64_t> UsualDescriptorLimit();

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_DESCRIPTOR_LIMIT_H_
