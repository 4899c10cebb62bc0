// Reading files that decide what the server does.
#ifndef JOBTAIL_SERVER_CONFIG_TRUSTED_FILE_H_
#define JOBTAIL_SERVER_CONFIG_TRUSTED_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace jobtail::config {

// The file's content. Whoever can write the file can run commands as the server, so nobody else
// may: it belongs to the server's user or to root, and neither others nor its group can write it
// (unless the group is the owner's alone, by its name), nor the directories that lead to it (sticky
// ones, and those on a read-only file system, are fine). A pipe or a terminal is the caller's
// affair.
//
// NOT_FOUND or PERMISSION_DENIED if it cannot be read; FAILED_PRECONDITION, with what to do, if
// others can write it.
absl::StatusOr<std::string> ReadTrustedFile(const std::string& path);

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_TRUSTED_FILE_H_
