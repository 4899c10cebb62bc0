// Whether a program waits for somebody to type.
#ifndef JOBTAIL_SERVER_PROCESS_TERMINAL_READER_H_
#define JOBTAIL_SERVER_PROCESS_TERMINAL_READER_H_

#include <sys/types.h>

#include <optional>
#include <string>

namespace jobtail::process {

// A process that waits for a terminal to be read.
struct TerminalReader {
  pid_t pid = -1;
  std::string name;  // as the kernel has it: 15 bytes at most
};

// The device that programs have whose terminal's master side is `master`, or 0.
dev_t TerminalOfMaster(int master);

// One among the processes below `ancestor` of which a thread waits for that terminal, under
// whatever name, and for nothing else (waited_for.h). None where the system does not let this
// process see what others do. May take milliseconds. Thread-safe.
std::optional<TerminalReader> FindTerminalReader(pid_t ancestor, dev_t terminal);

// Types the end of the file. False if the terminal is not in the mode in which that means anything.
bool TypeEndOfFile(int master);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_TERMINAL_READER_H_
