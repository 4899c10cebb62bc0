// Files that are on the disk whole, or not at all.
#ifndef JOBTAIL_SERVER_STORE_DURABLE_FILE_H_
#define JOBTAIL_SERVER_STORE_DURABLE_FILE_H_

#include <string>
#include <string_view>

namespace jobtail {

// Puts a file of mode 0600 with these bytes in the place of whatever has that name in `directory`,
// whenever the machine stops: the old one or the new one is there. False, with errno, if that
// fails; where only the last step has failed, the new one is there, and may be gone after a crash.
bool WriteDurably(const std::string& directory, const std::string& name, std::string_view bytes);

// Forces the names in a directory onto the disk. False, with errno, if that fails.
bool SyncNames(const std::string& directory);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_DURABLE_FILE_H_
