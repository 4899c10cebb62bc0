#ifndef JOBTAIL_CLIENT_CLI_HELP_H_
#define JOBTAIL_CLIENT_CLI_HELP_H_

// What --help says after the options: examples, and what a reader would otherwise have to guess.
namespace jobtail::client::cli::help {

inline constexpr char kMain[] = R"(Examples:
  jobtail jobs                              what can be run, with parameters
  jobtail run countdown times=3             start a run and follow it to its end
  jobtail tail --last=20 RUN                follow a run from its last 20 lines on
  jobtail --server=build7:50051 runs        the latest runs on another machine

'jobtail COMMAND --help' tells more about each command.

Exit codes:
  that of the job, for run and tail; 0 for the others
  128 + n    the job was killed by signal n
  130, 124   the run was cancelled, or ran out of time, and named no exit code of its own
  125        jobtail itself failed (no server, unknown run, wrong usage), or the run was lost
  130, 143   jobtail was ended by Ctrl-C, or by SIGTERM)";

inline constexpr char kRun[] = R"(Examples:
  jobtail run countdown                     with the parameters' defaults
  jobtail run backup target=/srv full=true
  jobtail run --detach countdown            print the run's id and leave it running
  jobtail run --timestamps countdown 2>errors.txt
  jobtail run --output=json countdown | jq -r .text

Prints what the job prints, stdout to stdout and stderr to stderr, and exits with its exit code
(see jobtail --help). A broken connection is made again, and no line is lost or comes twice.
Ctrl-C ends the following; the run goes on, unless --cancel-on-interrupt is given.)";

inline constexpr char kTail[] = R"(Examples:
  jobtail tail RUN                          from the first line to the end of the run
  jobtail tail -n 20 RUN                    the last 20 lines and what follows
  jobtail tail --since=10m --grep='error|warn' RUN
  jobtail tail --no-follow RUN >log.txt     what there is by now

Exits with the job's exit code (see jobtail --help), with --no-follow with 0 if it still runs.)";

inline constexpr char kJobs[] = R"(Examples:
  jobtail jobs
  jobtail jobs --output=json | jq -r .name)";

inline constexpr char kRuns[] = R"(Examples:
  jobtail runs
  jobtail runs --job=backup --state=failed,lost
  jobtail runs --limit=0 --output=json | jq -r .id)";

inline constexpr char kShow[] = R"(Examples:
  jobtail show RUN
  jobtail show --output=json RUN | jq .result)";

inline constexpr char kCancel[] = R"(Examples:
  jobtail cancel RUN
  jobtail cancel RUN && jobtail tail -n 0 RUN     and wait until it has ended)";

inline constexpr char kRm[] = R"(Examples:
  jobtail rm RUN
  jobtail cancel RUN && jobtail tail -n 0 RUN; jobtail rm RUN     if it is still running)";

}  // namespace jobtail::client::cli::help

#endif  // JOBTAIL_CLIENT_CLI_HELP_H_
