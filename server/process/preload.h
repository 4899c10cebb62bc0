// Libraries that a command is started with (LD_PRELOAD).
#ifndef JOBTAIL_SERVER_PROCESS_PRELOAD_H_
#define JOBTAIL_SERVER_PROCESS_PRELOAD_H_

#include <optional>
#include <string>
#include <vector>

#include "server/process/command.h"

namespace jobtail::process {

// The path of exact_preload.cc's library: beside this program, as the build and the installation
// lay it, or where the installation of the library that this program is linked with has laid it.
// None if it is in neither place, if `user` could not read it, or if others than root and this
// process's user could have put it there. Thread-safe.
std::optional<std::string> FindExactLibrary(const std::optional<User>& user);

// Has the programs of `environment` ("NAME=value") load `library` before those that it names
// already. Programs that were built with AddressSanitizer, which wants to be the first, run all the
// same.
void AddPreload(const std::string& library, std::vector<std::string>* environment);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_PRELOAD_H_
