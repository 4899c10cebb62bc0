// Opening a file that nobody else can have put there.
#ifndef JOBTAIL_SERVER_STORE_OWN_FILE_H_
#define JOBTAIL_SERVER_STORE_OWN_FILE_H_

#include <string>

namespace jobtail {

// A regular file of this process's user under one name alone, as open(2) has it with `flags`, and
// O_CREAT of mode 0600; close-on-exec. No name that somebody else has put there leads elsewhere,
// and a FIFO holds nobody up. -1 with errno if it cannot be opened; EPERM if it is something else.
int OpenOwnFile(const std::string& path, int flags);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_OWN_FILE_H_
