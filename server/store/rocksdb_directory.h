// What a data directory must be before a database in it is opened: whole or new, and of a format
// that this server reads. docs/log-format.md, "Versions", has the rules.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_DIRECTORY_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"

namespace jobtail {

// The format that this server writes. It reads this one and all before it.
inline constexpr int kDirectoryFormat = 2;

// Makes the directory where there is none, for the process's user alone; changes nothing in one
// that is there, and warns where others have rights to it. FAILED_PRECONDITION if a newer server
// has written it, DATA_LOSS if a file is missing or damaged without which the rest cannot be made
// sense of, UNAVAILABLE if it cannot be made or read.
absl::Status PrepareDirectory(const std::string& directory);

// Notes that the directory is of kDirectoryFormat from now on, durably: before anything of it is
// written, and only by who has the database open. UNAVAILABLE if that cannot be written.
absl::Status MarkDirectoryFormat(const std::string& directory);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_DIRECTORY_H_
