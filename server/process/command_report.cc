// How a command ended, told as the result of a run.

#include "server/process/command_report.h"

#include <string.h>
#include <sys/wait.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/quoting.h"

namespace jobtail::process {
namespace {

constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kSignalBase = 128;

std::string ExecuteHint(const Command& command, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "is it installed, and is its path right? (A script's interpreter must be there, too)";
    case EACCES:
      return absl::StrCat("is it an executable file, for user ",
                          command.user ? command.user->name : "of the server", "?");
    case E2BIG:
      return "a single argument or variable may have 128 KiB, all together about 2 MiB; pass large "
             "values on standard input";
    case ENOEXEC:
      return "a script must begin with #! and its interpreter";
    default:
      return "see execve(2)";
  }
}

std::string NotStartedText(const Command& command, const Event& event) {
  const std::string why = strerror(event.error);
  switch (event.step) {
    case Event::Step::kFork:
      return absl::StrCat("no process for the command: ", why,
                          "; try again when fewer are running");
    case Event::Step::kUser:
      return absl::StrCat("cannot become user ", command.user ? command.user->name : "", ": ", why,
                          "; only a server that runs as root can");
    case Event::Step::kDirectory:
      return absl::StrCat("cannot enter the directory ", Quoted(command.directory), ": ", why,
                          "; it must exist, and the job's user must be allowed to enter it");
    case Event::Step::kTerminal:
      return absl::StrCat("no terminal for the command: ", why);
    case Event::Step::kPriority:
      return absl::StrCat("cannot set nice or io_priority: ", why,
                          "; only a server that runs as root can raise a priority");
    case Event::Step::kLimits:
      return absl::StrCat("cannot set the command's limits: ", why,
                          "; they can be lower than the server's own alone");
    case Event::Step::kExecute:
      break;
  }
  return absl::StrCat("cannot run ", Quoted(command.arguments.front()), ": ", why, "; ",
                      ExecuteHint(command, event.error));
}

JobResult NotStarted(const Command& command, const Event& event) {
  const bool missing = event.step == Event::Step::kExecute && event.error == ENOENT;
  return {.exit_code = missing ? kNotFound : kNotExecutable,
          .error = NotStartedText(command, event)};
}

std::string SignalText(const Command& command, const CommandReport& report, int signal, bool core) {
  if (report.killed) {
    return absl::StrCat("did not end within ", absl::FormatDuration(command.grace), " of ",
                        SignalName(command.stop_signal), " and was killed");
  }
  if (report.stop_requested && signal == command.stop_signal) return "";
  if (report.memory_kills > 0 && signal == SIGKILL) {
    return report.limits_memory ? "reached its memory limit and was killed"
                                : "was killed: the system, or the container, had no memory left";
  }
  const bool maybe_memory = report.system_memory_kills > 0 && signal == SIGKILL;
  return absl::StrCat(
      "ended by signal ", signal, " (", SignalName(signal), ": ",
      sigdescr_np(signal) ? sigdescr_np(signal) : "unknown", ")", core ? ", core dumped" : "",
      maybe_memory ? absl::StrCat("; probably for want of memory, for which the "
                                  "system killed ",
                                  report.system_memory_kills,
                                  report.system_memory_kills == 1 ? " process meanwhile"
                                                                  : " processes meanwhile")
                   : "");
}

const char* Noun(const Command& command) { return command.calls_function ? "job" : "command"; }

// Of a process that has ended by itself.
JobResult Exited(const Command& command, const CommandReport& report, int exit_code) {
  if (!command.calls_function) return {.exit_code = exit_code, .error = ""};
  if (report.result) return *report.result;
  return {.exit_code = exit_code,
          .error = absl::StrCat("the job's process ended, with exit code ", exit_code,
                                ", before its function returned: it was exited, or the program "
                                "did not come to starting its server; the log may say why")};
}

ResourceUsage ToUsage(const Event& event) {
  return {absl::Microseconds(event.user_micros), absl::Microseconds(event.system_micros),
          event.peak_memory_bytes};
}

}  // namespace

JobResult ResultOf(const Command& command, const CommandReport& report) {
  if (report.not_started) return NotStarted(command, *report.not_started);
  if (!report.ended) {
    if (report.enforced) {
      return {.exit_code = kSignalBase + SIGKILL,
              .error = "kept its supervisor from stopping it, and was killed with it",
              .signal = SIGKILL};
    }
    return {.exit_code = kSignalBase + SIGKILL,
            .error = absl::StrCat("the process that supervised the ", Noun(command),
                                  " was killed, and the ", Noun(command), " with it"),
            .signal = SIGKILL};
  }
  JobResult result;
  const int status = report.ended->status;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
    result.core_dumped = WCOREDUMP(status);
    result.exit_code = kSignalBase + result.signal;
    result.error = SignalText(command, report, result.signal, result.core_dumped);
  } else {
    result = Exited(command, report, WEXITSTATUS(status));
  }
  if (report.usage) result.usage = ToUsage(*report.usage);
  return result;
}

std::string LeftOverText(const Command& command, int count) {
  return absl::StrCat("jobtail: the ", Noun(command), " has ended; ", count,
                      count == 1 ? " process that it had left behind was"
                                 : " processes that it had left behind were",
                      " killed ", absl::FormatDuration(command.drain), " later");
}

std::string ReadsTerminalText(const TerminalReader& reader, bool ended) {
  return absl::StrCat("jobtail: ", reader.name, " (process ", reader.pid,
                      ") waits for somebody to type at its terminal, which nobody can; ",
                      ended ? "it is given the end of the file" : "it may wait for ever");
}

std::string SaidNothingText() {
  return "jobtail: the command has printed nothing. Some runtimes print nothing to a socket, which "
         "its stdout is with order: EXACT; if it should have, leave that out";
}

void EndRun(const std::shared_ptr<Execution>& run, const JobResult& result) {
  try {
    std::thread([run, result] { run->Ended(result); }).detach();
  } catch (const std::system_error&) {
    run->Ended(result);  // the others wait with it
  }
}

}  // namespace jobtail::process
