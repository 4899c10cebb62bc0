// Reading files that decide what the server does.
#ifndef JOBTAIL_BASE_FILES_TRUSTED_FILE_H_
#define JOBTAIL_BASE_FILES_TRUSTED_FILE_H_

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobtail {

// Whether nobody else can write a file, of which `status` is what fstat says: whoever can may run
// commands as the server, or be whom it likes. The file belongs to the server's user or to root,
// and neither others nor its group can write it (unless the group is the owner's alone, by its
// name), nor the directories that lead to it, by whatever links (sticky ones, and those on a
// read-only file system, are fine). FAILED_PRECONDITION, with what to do, if somebody can;
// UNAVAILABLE where the path leads elsewhere by now, or cannot be followed.
absl::Status CheckTrustedFile(const std::string& path, const struct stat& status);

// The file's text, without a byte order mark, if nobody else can write it. A pipe or a terminal is
// the caller's affair.
//
// NOT_FOUND if it is not there, PERMISSION_DENIED or UNAVAILABLE if it cannot be read; otherwise as
// CheckTrustedFile.
absl::StatusOr<std::string> ReadTrustedFile(const std::string& path);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_FILES_TRUSTED_FILE_H_
