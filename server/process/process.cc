// A command followed from its start to the end of its run.
#include "server/process/process.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "capture/sink.h"
#include "jobtail/v1/log.pb.h"
#include "server/process/child.h"
#include "server/process/preload.h"
#include "server/process/system_memory.h"

namespace jobtail::process {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr size_t kRoom = 64 << 10;
// So much of one process is read before it is another's turn.
constexpr int kReadsInARow = 16;
// When a log that took no lines is tried again.
constexpr absl::Duration kPause = absl::Milliseconds(10);
// When it is looked whether a program waits for input: after it has been silent for so long, and
// then less and less often.
constexpr absl::Duration kReaderDelay = absl::Milliseconds(500);
constexpr absl::Duration kMaxReaderDelay = absl::Seconds(10);
// How much longer than it should a supervisor may take to end a command that is to stop.
constexpr absl::Duration kObedience = absl::Seconds(5);
constexpr absl::Duration kPartialDelay = absl::FromChrono(capture::kPartialDelay);

std::string Mark(const Execution& run) { return absl::StrCat("JOBTAIL_RUN_ID=", run.id()); }

// Its sockets suit every runtime.
Command WithPreload(Command command) {
  if (command.output == OutputMode::kExact && command.helps_exact_order) {
    AddExactLibrary(&command);
  }
  return command;
}

// It learns which run it is, and so do those who look for what is left of it.
Command WithMark(Command command, const Execution& run) {
  command.environment.push_back(absl::StrCat("JOBTAIL_JOB=", run.job()));
  command.environment.push_back(Mark(run));
  return command;
}

}  // namespace

void Process::Start(Services* services, Command command, std::shared_ptr<Execution> run) {
  // What is to be looked up for it is in files, too.
  services->beside([services, command = std::move(command), run = std::move(run)] {
    std::make_shared<Process>(services, WithPreload(command), run)->Launch();
  });
}

Process::Process(Services* services, Command command, std::shared_ptr<Execution> run)
    : command_(WithMark(std::move(command), *run)),
      run_(std::move(run)),
      services_(services),
      strand_(boost::asio::make_strand(services->context)),
      control_(strand_),
      channel_(strand_),
      output_lines_(&run_->output(),
                    command_.output == OutputMode::kExact ? kMaxDatagramBytes : kRoom,
                    /*interleaved=*/command_.output == OutputMode::kExact, run_->clock()) {}

void Process::Post(void (Process::*step)()) {
  boost::asio::post(strand_, [self = shared_from_this(), step] { ((*self).*step)(); });
}

// By the run's clock. The step may come although it was cancelled.
void Process::After(absl::Duration delay, std::optional<Scheduler::Id>* timer,
                    void (Process::*step)()) {
  *timer = run_->timers()->After(delay, [self = shared_from_this(), step] { self->Post(step); });
}

// Beside the strand, before anything happens on it.
void Process::Launch() {
  run_->Started();
  memory_kills_before_ = SystemMemoryKills();
  absl::StatusOr<SupervisedCommand> supervised = SpawnInCgroup();
  if (!supervised.ok()) {
    EndRun(run_, {.exit_code = 1, .error = std::string(supervised.status().message())});
    return;
  }
  supervised_ = *std::move(supervised);
  Post(&Process::Follow);
}

absl::StatusOr<SupervisedCommand> Process::SpawnInCgroup() {
  // What outlives the server has nobody who would end the group.
  if (!services_->cgroups || command_.outlives_server) return Spawn(command_, nullptr);
  const Limits& limits = command_.limits;
  absl::StatusOr<Cgroup> group =
      services_->cgroups->Make(run_->id(), limits.memory_bytes, limits.processes);
  if (!group.ok()) return group.status();
  cgroup_.emplace(*std::move(group));
  return Spawn(command_, &*cgroup_);
}

void Process::Follow() {
  supervisor_ = supervised_->supervisor;
  control_.assign(supervised_->control.Release());
  if (supervised_->channel.ok()) {
    channel_.assign(supervised_->channel.Release());
    AwaitMessages();
  }
  for (Output& output : supervised_->outputs) {
    const int fd = output.fd.get();
    outputs_.push_back({stream_descriptor(strand_), std::move(output)});
    outputs_.back().wait.assign(fd);
    outputs_.back().output.fd.Release();
    AwaitOutput(outputs_.back());
  }
  supervised_.reset();
  on_stop_.emplace(run_->stop_token(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Post(&Process::Stop);
  });
  AwaitEvents();
  if (command_.output == OutputMode::kTerminal) AwaitReader(kReaderDelay);
}

void Process::Stop() {
  report_.stop_requested = true;
  const Request request = Request::kStop;
  if (!control_.is_open()) return;
  send(control_.native_handle(), &request, sizeof request, MSG_NOSIGNAL);
  // A command of the same user could have stopped it.
  kill(supervisor_, SIGCONT);
  if (!enforces_)
    After(command_.grace + command_.drain + kObedience, &enforces_, &Process::Enforce);
}

// The supervisor has not done what it was asked to: the command keeps it from that. It ends by what
// nobody can withstand, and with it the command.
void Process::Enforce() {
  if (!control_.is_open()) return;
  report_.enforced = true;
  kill(supervisor_, SIGKILL);
}

// --- What the supervisor tells

void Process::AwaitEvents() {
  control_.async_wait(stream_descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error) self->TakeEvents();
                      });
}

void Process::TakeEvents() {
  Event event;
  while (true) {
    const ssize_t size = recv(control_.native_handle(), &event, sizeof event, MSG_DONTWAIT);
    if (size == sizeof event) {
      TakeEvent(event);
    } else if (size < 0 && errno == EAGAIN) {
      AwaitEvents();
      return;
    } else if (size >= 0 || errno != EINTR) {
      SupervisorGone();
      return;
    }
  }
}

void Process::TakeEvent(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kNotStarted:
      report_.not_started = event;
      break;
    case Event::Kind::kEnded:
      report_.ended = event;
      break;
    case Event::Kind::kKilled:
      report_.killed = true;
      break;
    case Event::Kind::kLeftOver:
      report_.left_over = event.count;
      break;
    case Event::Kind::kUsage:
      report_.usage = event;
      break;
  }
}

void Process::SupervisorGone() {
  control_.close();
  if (channel_.is_open()) {
    while (TakeMessage()) {
    }
    channel_.close();
  }
  on_stop_.reset();
  // It is about to end, as a rule; but the system may take its time.
  if (enforces_) run_->timers()->Cancel(*enforces_);
  if (waitpid(supervisor_, nullptr, WNOHANG) != 0) return SupervisorReaped();
  services_->beside([self = shared_from_this()] { self->AwaitSupervisor(); });
}

// Beside the strand.
void Process::AwaitSupervisor() {
  while (waitpid(supervisor_, nullptr, 0) < 0 && errno == EINTR) {
  }
  Post(&Process::SupervisorReaped);
}

void Process::SupervisorReaped() {
  const int status = report_.ended ? report_.ended->status : 0;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    report_.system_memory_kills = SystemMemoryKills() - memory_kills_before_;
  }
  ForgetSupervisor(supervisor_);
  if (cgroup_) return services_->beside([self = shared_from_this()] { self->EndCgroup(); });
  HuntStrays();
}

// Beside the strand. Nothing leaves a group, whatever has become of the supervisor.
void Process::EndCgroup() {
  report_.memory_kills = cgroup_->MemoryKills();
  report_.limits_memory = cgroup_->limits_memory();
  cgroup_->End(kObedience);
  cgroup_.reset();
  Post(&Process::HuntStrays);
}

void Process::HuntStrays() {
  // It was killed, and the command with it; but not what that had left behind.
  if (report_.usage || report_.not_started) return AllGone();
  services_->kill_strays(Mark(*run_),
                         [self = shared_from_this()] { self->Post(&Process::AllGone); });
}

void Process::AllGone() {
  all_gone_ = true;
  for (WatchedOutput& output : outputs_) output.ready = true;
  Read();
}

// --- What a function in it tells

void Process::AwaitMessages() {
  channel_.async_wait(stream_descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (!error && self->TakeMessage()) self->AwaitMessages();
                      });
}

// One message, so that others have their turn. False if there will be no more, or, once the
// supervisor has gone, is no more.
bool Process::TakeMessage() {
  std::array<char, kMaxMessageBytes> bytes;
  const ssize_t size = recv(channel_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size < 0) return errno == EINTR || (errno == EAGAIN && control_.is_open());
  v1::LogLine message;
  if (size == 0 || !message.ParseFromArray(bytes.data(), static_cast<int>(size))) return false;
  if (message.has_progress()) {
    run_->ReportProgress(message.progress().fraction(), message.progress().text());
  } else if (message.has_result()) {
    report_.result = JobResult{message.result().exit_code(), message.result().error()};
  }
  return true;
}

// --- What the command prints

void Process::AwaitOutput(WatchedOutput& output) {
  output.wait.async_wait(stream_descriptor::wait_read, [self = shared_from_this(), &output](
                                                           const boost::system::error_code& error) {
    if (error || output.ended) return;
    output.ready = true;
    self->Read();
  });
}

// As much as there is and the log takes, or as is fair to others.
void Process::Read() {
  if (paused_) return;
  for (int reads = 0; reads < kReadsInARow; ++reads) {
    if (!output_lines_.Deliver()) return PauseReading();
    if (!ReadSome()) {
      if (all_gone_) return End();
      return AwaitUnfinished();
    }
  }
  Post(&Process::Read);
}

// False if there is nothing to read now. Streams take turns.
bool Process::ReadSome() {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    WatchedOutput& output = outputs_.front();
    outputs_.splice(outputs_.end(), outputs_, outputs_.begin());
    if (output.ready && !output.ended && ReadFrom(output)) return true;
  }
  return false;
}

bool Process::ReadFrom(WatchedOutput& output) {
  capture::Stream from;
  size_t size;
  switch (output.output.Read(output.wait.native_handle(), output_lines_.room(), &from, &size)) {
    case Output::State::kData:
      has_printed_ = has_printed_ || size > 0;
      reader_delay_ = kReaderDelay;
      if (size > 0) output_lines_.Append(from, size);
      return true;
    case Output::State::kForeign:
      return true;
    case Output::State::kEmpty:
      output.ready = false;
      if (!all_gone_) AwaitOutput(output);
      return false;
    case Output::State::kEnd:
      output.ended = true;
      output.wait.close();
      return false;
  }
  return false;
}

void Process::PauseReading() { After(kPause, &paused_, &Process::ResumeReading); }

void Process::ResumeReading() {
  paused_.reset();
  Read();
}

void Process::AwaitReader(absl::Duration delay) {
  reader_delay_ = delay;
  After(delay, &awaits_reader_, &Process::LookForReader);
}

void Process::LookForReader() {
  awaits_reader_.reset();
  if (all_gone_ || outputs_.front().ended) return;
  const dev_t terminal = TerminalOfMaster(outputs_.front().wait.native_handle());
  services_->beside([self = shared_from_this(), terminal] {
    const std::optional<TerminalReader> reader = FindTerminalReader(self->supervisor_, terminal);
    boost::asio::post(self->strand_, [self, reader] {
      if (reader) self->ReaderFound(*reader);
      if (!self->all_gone_) {
        self->AwaitReader(std::min(2 * self->reader_delay_, kMaxReaderDelay));
      }
    });
  });
}

void Process::ReaderFound(const TerminalReader& reader) {
  if (all_gone_ || outputs_.front().ended) return;
  const bool ended = TypeEndOfFile(outputs_.front().wait.native_handle());
  if (!told_of_reader_) {
    told_of_reader_ =
        output_lines_.Deliver() && output_lines_.TryNote(ReadsTerminalText(reader, ended));
  }
}

// A runtime that does not like sockets may say nothing and end well, if it was kept from loading
// what helps it.
bool Process::HasRefusedToPrint() const {
  return command_.output == OutputMode::kExact && !command_.calls_function && !has_printed_ &&
         report_.ended && report_.ended->status == 0;
}

void Process::AwaitUnfinished() {
  if (awaits_unfinished_ || !output_lines_.HasUnfinished()) return;
  After(kPartialDelay, &awaits_unfinished_, &Process::UnfinishedHasWaited);
}

void Process::UnfinishedHasWaited() {
  awaits_unfinished_.reset();
  FlushUnfinished();
}

void Process::FlushUnfinished() {
  if (all_gone_ || paused_) return;  // comes back to it
  if (output_lines_.Deliver()) output_lines_.FlushUnfinished(kPartialDelay);
  AwaitUnfinished();
}

// Nobody is left who could print, and all has been read.
void Process::End() {
  if (!output_lines_.FlushUnfinished()) return PauseReading();
  if (run_ended_) return;
  if (report_.left_over > 0 && !output_lines_.TryNote(LeftOverText(command_, report_.left_over))) {
    return PauseReading();
  }
  report_.left_over = 0;  // told
  if (HasRefusedToPrint() && !output_lines_.TryNote(SaidNothingText())) return PauseReading();
  run_ended_ = true;
  if (awaits_reader_) run_->timers()->Cancel(*awaits_reader_);
  if (awaits_unfinished_) run_->timers()->Cancel(*awaits_unfinished_);
  for (WatchedOutput& output : outputs_) {
    output.ended = true;
    if (output.wait.is_open()) output.wait.close();
  }
  EndRun(run_, ResultOf(command_, report_));
}

}  // namespace jobtail::process
