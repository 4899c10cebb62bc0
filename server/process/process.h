// A command followed from its start to the end of its run.
#ifndef JOBTAIL_SERVER_PROCESS_PROCESS_H_
#define JOBTAIL_SERVER_PROCESS_PROCESS_H_

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "server/process/cgroup.h"
#include "server/process/command.h"
#include "server/process/command_report.h"
#include "server/process/output_lines.h"
#include "server/process/protocol.h"
#include "server/process/spawn.h"
#include "server/process/terminal_reader.h"
#include "server/run/executor.h"

namespace jobtail::process {

// A command at work for a run: reads what it prints and follows what its supervisor tells. All of
// it happens on a strand of the pool's threads; each step that waits holds the object, so that it
// lives until the run has ended. What may block (the store, where the run begins and ends; starting
// a supervisor and waiting for its end) happens beside the strand, which goes on afterwards: those
// threads are all commands'.
//
// The outputs are read until the supervisor has gone, and then to their end: it goes when nobody is
// left who could print. While the log takes no lines, nothing is read, so that the command waits.
class Process : public std::enable_shared_from_this<Process> {
 public:
  // What processes share. Outlives them.
  struct Services {
    boost::asio::io_context context;
    // Calls a function that may block, on a thread of its own.
    std::function<void(std::function<void()>)> beside;
    // Kills what a command has left behind whose supervisor was killed, the processes with this
    // variable in their environment, and then calls `done`. Must not wait for that.
    std::function<void(const std::string& variable, std::function<void()> done)> kill_strays;
    // For a group of each run, if there is such a thing. Set before the first run.
    std::optional<Cgroups> cgroups;
  };

  static void Start(Services* services, Command command, std::shared_ptr<Execution> run);

  Process(Services* services, Command command, std::shared_ptr<Execution> run);

 private:
  using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;

  // An output and whether there may be something to read.
  struct WatchedOutput {
    boost::asio::posix::stream_descriptor wait;
    Output output;
    bool ready = false;
    bool ended = false;
  };

  void Launch();
  absl::StatusOr<SupervisedCommand> SpawnInCgroup();
  void Follow();
  void After(absl::Duration delay, std::optional<Scheduler::Id>* timer, void (Process::*step)());
  void Post(void (Process::*step)());
  void Stop();
  void Enforce();

  void AwaitEvents();
  void TakeEvents();
  void TakeEvent(const Event& event);
  void SupervisorGone();
  void AwaitSupervisor();
  void SupervisorReaped();
  void EndCgroup();
  void HuntStrays();
  void AllGone();

  void AwaitMessages();
  bool TakeMessage();

  void AwaitOutput(WatchedOutput& output);
  void Read();
  bool ReadFrom(WatchedOutput& output);
  bool ReadSome();
  void PauseReading();
  void ResumeReading();
  void AwaitReader(absl::Duration delay);
  void LookForReader();
  void ReaderFound(const TerminalReader& reader);
  bool HasRefusedToPrint() const;
  void AwaitUnfinished();
  void UnfinishedHasWaited();
  void FlushUnfinished();
  void End();

  const Command command_;
  const std::shared_ptr<Execution> run_;
  Services* const services_;
  Strand strand_;
  boost::asio::posix::stream_descriptor control_;
  boost::asio::posix::stream_descriptor channel_;  // open if the command calls a function
  OutputLines output_lines_;
  std::list<WatchedOutput> outputs_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
  std::optional<SupervisedCommand> supervised_;  // from Launch to Follow
  pid_t supervisor_ = -1;
  std::optional<Scheduler::Id> paused_;             // until when nothing is read
  std::optional<Scheduler::Id> awaits_unfinished_;  // when it is looked for
  std::optional<Scheduler::Id> awaits_reader_;      // when one is looked for, of a terminal
  absl::Duration reader_delay_;                     // since it was looked for last
  bool told_of_reader_ = false;
  bool has_printed_ = false;
  std::optional<Scheduler::Id> enforces_;  // when the supervisor must have obeyed
  std::optional<Cgroup> cgroup_;
  bool all_gone_ = false;  // the supervisor, and everybody whom it has left behind
  bool run_ended_ = false;
  int64_t memory_kills_before_ = 0;  // of the system
  CommandReport report_;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_PROCESS_H_
