// Libraries that a command is started with (LD_PRELOAD).
#ifndef JOBTAIL_SERVER_PROCESS_PRELOAD_H_
#define JOBTAIL_SERVER_PROCESS_PRELOAD_H_

#include "server/process/command.h"

namespace jobtail::process {

// Has the command's programs load exact_preload.cc's library, before those that its environment
// names already. Programs that were built with AddressSanitizer, which wants to be the first, run
// all the same.
//
// The library lies beside this program, as the build and the installation lay it, or where the
// installation of the library that this program is linked with has laid it, and is looked for once.
// Nothing is added if it is in neither place, if others than root and this process's user could
// have put it there, if the command's user could not read it, or if the command's program, or its
// interpreter, is known to be for another kind of processor: the dynamic linker would complain in
// the command's own output. Thread-safe.
void AddExactLibrary(Command* command);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_PRELOAD_H_
