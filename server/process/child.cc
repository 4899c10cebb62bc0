// The side of the child: a job's function, called in a process of its own.

#include "server/process/child.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/utf8.h"
#include "capture/sink.h"
#include "jobtail/v1/log.pb.h"
#include "jobtail/v1/run.pb.h"
#include "server/process/protocol.h"
#include "server/run/current_run.h"
#include "server/run/function_executor.h"
#include "server/run/job_check.h"

namespace jobtail::process {
namespace {

constexpr size_t kMaxErrorBytes = 16 << 10;
constexpr size_t kMaxProgressBytes = 4 << 10;
constexpr size_t kMaxThreadName = 15;  // the kernel's limit

bool TakeVariable() {
  if (!getenv(kChildVariable)) return false;
  unsetenv(kChildVariable);
  int type = 0;
  socklen_t size = sizeof type;
  getsockopt(kCommandChannelFd, SOL_SOCKET, SO_TYPE, &type, &size);
  if (type != SOCK_SEQPACKET) return false;
  fcntl(kCommandChannelFd, F_SETFD, FD_CLOEXEC);
  return true;
}

// Whole, and waiting until there is room for it.
void Tell(const v1::LogLine& message) {
  const std::string bytes = message.SerializeAsString();
  while (send(kCommandChannelFd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

void TellProgress(double fraction, std::string_view text) {
  v1::LogLine message;
  message.mutable_progress()->set_fraction(fraction);
  message.mutable_progress()->set_text(ToUtf8(text, kMaxProgressBytes));
  Tell(message);
}

// What the function has printed is the server's before its result is. Nothing else is waited for:
// threads that the job has left behind, and the program's static objects, end here.
[[noreturn]] void End(const JobResult& outcome) {
  std::cout.flush();
  std::clog.flush();
  fflush(nullptr);
  v1::LogLine message;
  message.mutable_result()->set_exit_code(outcome.exit_code);
  message.mutable_result()->set_error(ToUtf8(outcome.error, kMaxErrorBytes));
  Tell(message);
  _exit(outcome.exit_code & 0xff);
}

// Descriptor 0 is nobody's afterwards.
absl::StatusOr<v1::Run> ReadRun() {
  v1::Run run;
  const bool parsed = run.ParseFromFileDescriptor(STDIN_FILENO);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) return absl::UnavailableError("no /dev/null");
  close(null);
  if (!parsed) return absl::InternalError("the run cannot be read from descriptor 0");
  return run;
}

// --- Stopping

std::array<int, 2> stop_pipe{-1, -1};

// A handler, so that programs which the job starts do not inherit a signal that is blocked or
// ignored. It was blocked until now: what has come meanwhile comes here.
void ListenForStop(std::stop_source stop) {
  if (pipe2(stop_pipe.data(), O_CLOEXEC) != 0) return;
  std::thread([stop = std::move(stop)]() mutable {
    char byte;
    while (read(stop_pipe[0], &byte, sizeof byte) < 0 && errno == EINTR) {
    }
    stop.request_stop();
  }).detach();
  struct sigaction action {};
  action.sa_handler = [](int) {
    const int error = errno;
    static_cast<void>(!write(stop_pipe[1], "", 1));
    errno = error;
  };
  action.sa_flags = SA_RESTART;
  sigaction(kStopSignal, &action, nullptr);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, kStopSignal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

// --- Printing

// Each line is out once it is printed, so that none is lost in a crash, and text without its end
// soon. Streams that have a buffer of their own in C++ write at once.
void PrintAtOnce() {
  setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const bool synchronized = std::ios_base::sync_with_stdio(true);
  if (!synchronized) {
    std::cout << std::unitbuf;
    std::clog << std::unitbuf;
  }
  std::thread([] {
    while (true) {
      std::this_thread::sleep_for(capture::kPartialDelay);
      if (__fpending(stdout) > 0) fflush(stdout);
    }
  }).detach();
}

void Print(std::string_view text, capture::Stream stream) {
  FILE* const file = stream == capture::Stream::kStdout ? stdout : stderr;
  flockfile(file);
  fwrite_unlocked(text.data(), 1, text.size(), file);
  if (!text.empty() && text.back() != '\n') putc_unlocked('\n', file);
  funlockfile(file);
}

void Call(const Job& job, const v1::Run& run) {
  JobResult outcome{1, "the job ended its own thread"};
  const absl::Cleanup end = [&] { End(outcome); };  // also when it does that
  auto parameters = ParseParameters(job, run.parameters());
  if (!parameters.ok()) {
    outcome.error = parameters.status().ToString();
    return;
  }
  std::stop_source stop;
  ListenForStop(stop);
  PrintAtOnce();
  const auto context = std::make_shared<JobContext>(
      run.id(), *std::move(parameters), stop.get_token(), TellProgress, /*clock=*/nullptr, Print);
  CurrentRun::TakeProcess(context);
  outcome = jobtail::Call(*job.function(), *context);
}

}  // namespace

bool IsChild() {
  static const bool is_child = TakeVariable();
  return is_child;
}

void CallJob(
    const std::function<absl::StatusOr<std::shared_ptr<const Job>>(const std::string&)>& find) {
  const absl::StatusOr<v1::Run> run = ReadRun();
  if (!run.ok()) End({1, run.status().ToString()});
  pthread_setname_np(pthread_self(), run->job().substr(0, kMaxThreadName).c_str());
  const auto job = find(run->job());
  if (!job.ok() || !(*job)->function()) {
    End({1, absl::StrCat("job ", run->job(),
                         " is not there in the child process when its server starts; a job that "
                         "runs in a child process must always be added before that")});
  }
  Call(**job, *run);
  abort();  // Call does not return
}

}  // namespace jobtail::process
