#include "server/daemon.h"

#include <pthread.h>
#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <iostream>
#include <thread>

#include "absl/synchronization/mutex.h"

namespace jobtail {
namespace {

// Signals are waited for, not handled: no code runs between two instructions of another. Threads
// started from now on inherit the mask.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int WaitFor(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

// Debian's abseil looks for lock cycles at every lock, gRPC's included, in every build. Only debug
// builds want that.
void SkipDeadlockDetection() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

// Jobs in C++ cannot be ended from outside, and must not see the program's objects destroyed around
// them.
[[noreturn]] void LeaveAtOnce(int exit_code) {
  std::cout.flush();
  spdlog::shutdown();
  _exit(exit_code);
}

}  // namespace

Daemon::Daemon(const std::string& name, const std::string& description)
    : flags_(description, name),
      name_(name),
      heartbeat_seconds_(absl::ToDoubleSeconds(options_.heartbeat)),
      stop_grace_seconds_(absl::ToDoubleSeconds(options_.stop_grace)) {
  flags_
      .add_option("--grpc-address", options_.grpc_address,
                  "HOST:PORT to serve gRPC on; port 0 picks a free one")
      ->capture_default_str();
  flags_
      .add_option("--heartbeat", heartbeat_seconds_,
                  "Seconds a stream may be idle before it is sent a heartbeat")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  flags_
      .add_option("--stop-grace", stop_grace_seconds_,
                  "Seconds to wait for running jobs when the server is stopped")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  flags_
      .add_option("--max-active-runs", options_.engine.max_active_runs,
                  "How many runs may be at work at the same time")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
}

int Daemon::Run(int argc, char** argv, const std::function<absl::Status(Server&)>& prepare) {
  try {
    flags_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return flags_.exit(error) == 0 ? 0 : 1;
  }
  options_.heartbeat = absl::Seconds(heartbeat_seconds_);
  options_.stop_grace = absl::Seconds(stop_grace_seconds_);
  SkipDeadlockDetection();
  spdlog::set_default_logger(spdlog::stderr_color_mt(name_));
  return Serve(prepare);
}

int Daemon::Serve(const std::function<absl::Status(Server&)>& prepare) {
  const sigset_t signals = BlockSignals();
  Server server(options_);
  absl::Status status = prepare(server);
  if (status.ok()) status = server.Start();
  if (!status.ok()) {
    std::cerr << name_ << ": " << status.message() << std::endl;
    return 1;
  }
  std::cout << "grpc " << server.grpc_address() << std::endl;

  spdlog::info("{}: stopping; the same signal again ends it at once", strsignal(WaitFor(signals)));
  std::thread([signals] {
    WaitFor(signals);
    LeaveAtOnce(1);
  }).detach();
  const size_t at_work = server.Stop();
  if (at_work > 0) spdlog::warn("{} jobs do not heed their stop token and are abandoned", at_work);
  LeaveAtOnce(0);
}

}  // namespace jobtail
