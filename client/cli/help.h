// The texts that --help prints after the options.
#ifndef JOBTAIL_CLIENT_CLI_HELP_H_
#define JOBTAIL_CLIENT_CLI_HELP_H_

// What --help says after the options: examples, and what a reader would otherwise have to guess.
namespace jobtail::client::cli::help {

inline constexpr char kMain[] = R"(Examples:
  jobtail jobs                              what can be run, with parameters
  jobtail run countdown times=3             start a run and follow it to its end
  jobtail tail --last=20 RUN                follow a run from its last 20 lines on
  jobtail --server=build7:50051 runs        the latest runs on another machine

'jobtail help COMMAND' tells more about each command, and 'man jobtail' about all of them. RUN is a
run's id, or as much of its beginning as tells it from the others.

Environment and files:
  JOBTAIL_SERVER           the server, where --server is not given
  JOBTAIL_CONTEXT          the context: a server of the config file, with its credentials
  JOBTAIL_CONFIG           the config file [~/.config/jobtail/config]; its lines are NAME = VALUE:
                           server, context, color, retry-for, timestamps, progress,
                           compression; and between
                           "context NAME {" and "}" server, tls, tls-ca, tls-cert, tls-key,
                           token-file
  NO_COLOR                 if set, no colours unless --color=always

Exit codes:
  that of the job, for run and tail; 0 for the others
  128 + n    the job was killed by signal n
  130, 124   the run was cancelled, or ran out of time, and named no exit code of its own
  125        jobtail itself failed (no server, unknown run, wrong usage), or the run was lost
  130, 143   jobtail was ended by Ctrl-C, or by SIGTERM)";

inline constexpr char kRun[] = R"(Examples:
  jobtail run countdown                     with the parameters' defaults
  jobtail run backup target=/srv full=true
  jobtail run notify text=@message.txt      a value from a file; write @@ for a literal @
  jobtail run --timeout=10m backup          cancel it if it takes longer
  jobtail run --detach countdown            print the run's id and leave it running
  jobtail run --timestamps countdown 2>errors.txt
  jobtail run --output=json countdown | jq -r .text
  jobtail run --rendered pull >log.txt      rows as they are in the end, no escape sequences

Prints what the job prints, stdout to stdout and stderr to stderr, and exits with its exit code
(see jobtail --help). A broken connection is made again, and no line is lost or comes twice.
Ctrl-C ends the following; the run goes on, unless --cancel-on-interrupt is given.)";

inline constexpr char kTail[] = R"(Examples:
  jobtail tail RUN                          from the first line to the end of the run
  jobtail tail -n 20 RUN                    the last 20 lines and what follows
  jobtail tail --since=10m --grep='error|warn' RUN
  jobtail tail RUN RUN                      several at once, each line with its run before it
  jobtail tail --job=backup                 all runs of a job, those to come as well
  jobtail tail --no-follow RUN >log.txt     what there is by now
  jobtail tail --rendered RUN >log.txt      rows as they are in the end, no escape sequences

Exits with the job's exit code (see jobtail --help), with --no-follow with 0 if it still runs; with
several runs, with the largest of their exit codes.)";

inline constexpr char kJobs[] = R"(Examples:
  jobtail jobs
  jobtail jobs countdown
  jobtail jobs --output=json | jq -r .name)";

inline constexpr char kRuns[] = R"(Examples:
  jobtail runs
  jobtail runs --job=backup --state=failed,lost
  jobtail runs --watch                            a live table; a line for each change in a pipe
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

inline constexpr char kExport[] = R"(Examples:
  jobtail export RUN >log.txt
  jobtail export --timestamps --stderr-only RUN >errors.txt
  jobtail export --output=json RUN | gzip >log.json.gz
  jobtail export --rendered RUN >log.txt    rows as they are in the end, no escape sequences

Writes what the job printed to both streams, in its order, and exits with 0 whatever became of the
job. Of a run that goes on, it writes what there is by now, and says so.)";

inline constexpr char kWhoAmI[] = R"(Examples:
  jobtail whoami
  jobtail whoami --token-file=token --output=json | jq -r .name)";

inline constexpr char kLogin[] = R"(Examples:
  jobtail login
  jobtail --server=ci.example.com:50051 --tls login
  jobtail login --issuer=https://login.example.com --client-id=jobtail

Shows an address and a code, and waits until you have signed in there, with any browser. The token
is kept for this server in ~/.local/state/jobtail/logins, readable by you alone; commands to this
server show it from then on, unless --token-file or --tls-cert is given, and have it renewed where
the issuer allows that. Without --issuer and --client-id the server says whom to sign in with:
do not go on if that is not whom you trust.)";

inline constexpr char kLogout[] = R"(Examples:
  jobtail logout

Removes the token of this server, and has the issuer revoke what would renew it.)";

inline constexpr char kCompletion[] = R"(Examples:
  source <(jobtail completion bash)               in ~/.bashrc
  source <(jobtail completion zsh)                in ~/.zshrc, after compinit
  jobtail completion fish | source                in ~/.config/fish/config.fish

Jobs, their parameters and runs are asked from the server while you type.)";

}  // namespace jobtail::client::cli::help

#endif  // JOBTAIL_CLIENT_CLI_HELP_H_
