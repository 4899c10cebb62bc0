// The account of how a command went, and the run's result that follows from it.
#ifndef JOBTAIL_SERVER_PROCESS_COMMAND_REPORT_H_
#define JOBTAIL_SERVER_PROCESS_COMMAND_REPORT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/process/command.h"
#include "server/process/protocol.h"
#include "server/process/terminal_reader.h"
#include "server/run/executor.h"

namespace jobtail::process {

// What the server has learned of a command by the time its supervisor has gone.
struct CommandReport {
  std::optional<Event> not_started;
  std::optional<Event> ended;
  std::optional<Event> usage;
  std::optional<JobResult> result;  // of the function that it called
  int left_over = 0;                // processes that were killed after the command's end
  bool stop_requested = false;
  bool killed = false;    // after the grace
  bool enforced = false;  // the supervisor was killed, since it did not obey
  // How many of its processes the kernel has killed for want of memory, by its control group; and,
  // where it had no limit or no group, for want of the system's.
  int64_t memory_kills = 0;
  bool limits_memory = false;
  int64_t system_memory_kills = 0;  // of all processes of the system, meanwhile
};

// The run's result. A command that a signal ended has the exit code that shells give it: 128 and
// the signal's number; one that could not be started has 127 if it was not found, 126 otherwise.
// One that calls a function has the function's result, unless a signal ended it.
JobResult ResultOf(const Command& command, const CommandReport& report);

// What the log says of processes that the command had left behind.
std::string LeftOverText(const Command& command, int count);

// What the log says of a process that waits for input, once it has been given an end of it, or
// could not be.
std::string ReadsTerminalText(const TerminalReader& reader, bool ended);

// What the log says where the command may have been kept from printing.
std::string SaidNothingText();

// Ends the run with this result, on a thread of its own: the log may keep it waiting.
void EndRun(const std::shared_ptr<Execution>& run, const JobResult& result);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_COMMAND_REPORT_H_
