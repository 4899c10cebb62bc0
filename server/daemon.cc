// Flags, signals and the order of starting and stopping a server program.
#include "server/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "server/freed_memory.h"
#include "server/http/parse_public_url.h"
#include "server/init_process.h"
#include "server/process/descriptor_limit.h"
#include "server/stderr_sink.h"

namespace jobtail {
namespace {

// The signals' handler says so here, and the main thread waits. They are not blocked, as they would
// have to be for sigwait: what a job starts would inherit that, and could not be ended.
std::array<int, 2> signal_pipe{-1, -1};

// What somebody else can have the server say again and again is said once in this time.
constexpr int64_t kSayNanos = int64_t{60} * 1'000'000'000;

void InstallHandlers(bool hangup) {
  if (pipe2(signal_pipe.data(), O_CLOEXEC) != 0) return;
  fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = [](int number) {
    const int error = errno;
    const char byte = static_cast<char>(number);
    static_cast<void>(!write(signal_pipe[1], &byte, sizeof byte));
    errno = error;
  };
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (hangup) sigaction(SIGHUP, &action, nullptr);
  // Who reads what the server prints may go. A handler, since what a job starts would inherit that
  // the signal is ignored.
  action.sa_handler = [](int) {};
  sigaction(SIGPIPE, &action, nullptr);
}

// Whether it is time to say again what `next_nanos` is about. Thread-safe.
bool IsDue(std::atomic<int64_t>* next_nanos) {
  const int64_t now = absl::ToInt64Nanoseconds(Clock::System()->Steady());
  int64_t next = *next_nanos;
  return now >= next && next_nanos->compare_exchange_strong(next, now + kSayNanos);
}

// Protobuf says it to standard error whenever a request has a string that is not UTF-8: as often as
// somebody likes to send one.
void LimitWhatProtobufSays() {
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel level, const char* /*file*/,
                                     int /*line*/, const std::string& message) {
    static std::atomic<int64_t> next_nanos = 0;
    if (level < google::protobuf::LOGLEVEL_ERROR || !IsDue(&next_nanos)) return;
    spdlog::warn("protobuf: {}", message);
  });
}

// gRPC says so of each handshake that fails: as often as somebody likes to fail one.
void LimitWhatGrpcSays() {
  gpr_set_log_function([](gpr_log_func_args* said) {
    static std::atomic<int64_t> next_nanos = 0;
    if (said->severity < GPR_LOG_SEVERITY_ERROR || !IsDue(&next_nanos)) return;
    spdlog::warn("gRPC: {}", said->message);
  });
}

// The next one's number.
int WaitForSignal() {
  char number;
  while (read(signal_pipe[0], &number, sizeof number) < 0 && errno == EINTR) {
  }
  return number;
}

void WaitForEnd() {
  while (WaitForSignal() == SIGHUP) {
  }
}

// Debian's abseil looks for lock cycles at every lock, gRPC's included, in every build. Only debug
// builds want that.
void SkipDeadlockDetection() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

// Jobs in C++ cannot be ended from outside, and must not see the program's objects destroyed around
// them. Nothing is flushed: the lock of a stream that nobody reads may be held for ever.
[[noreturn]] void LeaveAtOnce(int exit_code) { _exit(exit_code); }

// For what comes after the grace for jobs, which takes seconds where the disk answers. What was
// acknowledged is stored by then, as it is when the process is killed.
constexpr absl::Duration kStopPatience = absl::Seconds(15);

// Of one door.
constexpr int kMostAddresses = 16;

void SetAddresses(const std::vector<std::string>& addresses, std::string* first,
                  std::vector<std::string>* others) {
  *first = addresses.empty() ? "" : addresses.front();
  others->clear();
  for (size_t i = 1; i < addresses.size(); ++i) others->push_back(addresses[i]);
}

// Whether whoever is on this machine can reach it.
bool HasPort(const Server& server) {
  const auto is_port = [](const std::string& address) { return !address.starts_with("unix:"); };
  return std::ranges::any_of(server.grpc_addresses(), is_port) ||
         std::ranges::any_of(server.http_urls(), is_port);
}

// "0660", in octal.
bool ParseMode(const std::string& text, mode_t* mode) {
  constexpr mode_t kMost = 0777;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *mode, 8);
  return error == std::errc() && stop == end && *mode <= kMost;
}

const std::map<std::string, SyncMode>& SyncModes() {
  static const auto* const modes = new std::map<std::string, SyncMode>{
      {"none", SyncMode::kNone}, {"interval", SyncMode::kInterval}, {"always", SyncMode::kAlways}};
  return *modes;
}

}  // namespace

Daemon::Daemon(const std::string& name, const std::string& description)
    : flags_(description, name),
      name_(name),
      heartbeat_seconds_(absl::ToDoubleSeconds(options_.heartbeat)),
      stop_grace_seconds_(absl::ToDoubleSeconds(options_.stop_grace)) {
  LeaveProcessOneBehind();
  flags_
      .add_option_function<std::vector<std::string>>(
          "--grpc-address",
          [this](const std::vector<std::string>& addresses) {
            SetAddresses(addresses, &options_.grpc_address, &options_.more_grpc_addresses);
          },
          "HOST:PORT to serve gRPC on; port 0 picks a free one. Or unix:PATH. May be repeated")
      ->allow_extra_args(false)
      ->type_name("TEXT [" + options_.grpc_address + "]");
  AddHttpFlags();
  AddTransportFlags();
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
  flags_.add_option(
      "--data-dir", options_.store.directory,
      "Where runs and their logs are kept. Without it: in memory, until the server ends");
  flags_
      .add_option("--sync", options_.store.sync,
                  "When what was written is forced onto the disk: what a loss of power may take")
      ->transform(CLI::CheckedTransformer(SyncModes()).description("none|interval|always"))
      ->default_str("interval");
  AddRetentionFlags();
  flags_
      .add_option("--memory", options_.memory_bytes,
                  "How much memory the server is to get along with, such as 200MB. Without it: "
                  "three quarters of its cgroup's limit, or half of what is available")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false));
  flags_
      .add_option("--max-active-runs", options_.engine.max_active_runs,
                  "How many runs may be at work at the same time")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  flags_
      .add_option("--max-queued-runs", options_.engine.max_queued_runs,
                  "How many runs may wait for a place, of jobs that let them wait")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
}

void Daemon::AddHttpFlags() {
  http::HttpOptions& http = options_.http;
  // No default_str: CLI11 would take it for the empty value.
  flags_
      .add_option_function<std::vector<std::string>>(
          "--http-address",
          [&http](const std::vector<std::string>& addresses) {
            SetAddresses(addresses, &http.address, &http.more_addresses);
          },
          "HOST:PORT to serve HTTP on; port 0 picks a free one. Or unix:PATH. May be repeated. "
          "Nothing (--http-address=) turns HTTP off")
      ->expected(0, kMostAddresses)
      ->allow_extra_args(false)
      ->type_name("TEXT [" + http.address + "]");
  flags_.add_option("--http-allow-host", http.allowed_hosts,
                    "A name by which this server may be addressed, besides localhost on loopback "
                    "and, elsewhere, the address that a client connects to");
  flags_.add_option("--http-allow-origin", http.allowed_origins,
                    "An origin, such as https://ci.example.com, whose pages may use the API");
  flags_
      .add_option_function<std::string>(
          "--public-url",
          [&http](const std::string& url) { http.public_url = *http::ParsePublicUrl(url); },
          "The address by which browsers reach this server through a proxy, such as "
          "https://ci.example.com/jobs/ (docs/deploying.md)")
      ->check([](const std::string& url) {
        return std::string(http::ParsePublicUrl(url).status().message());
      });
  flags_
      .add_option("--http-max-connections", http.max_connections,
                  "How many HTTP connections may be open")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

void Daemon::AddTransportFlags() {
  TlsOptions& tls = options_.tls;
  CLI::Option* const certificate =
      flags_.add_option("--tls-cert", tls.certificate_file,
                        "The server's certificate and those that lead to its CA (PEM), for TLS at "
                        "both addresses. A new one is taken without a restart");
  CLI::Option* const key = flags_.add_option("--tls-key", tls.key_file, "The certificate's key");
  certificate->needs(key);
  key->needs(certificate);
  flags_
      .add_option("--tls-client-ca", tls.client_ca_file,
                  "The CAs whose certificates tell who a client is; clients without one may "
                  "connect, too")
      ->needs(certificate);
  flags_.add_option("--socket-group", options_.socket.group,
                    "The group that may connect to unix:PATH, besides the server's user");
  flags_
      .add_option("--socket-mode", socket_mode_,
                  "The permissions of unix:PATH, such as 0666 [0600, or 0660 with a group]")
      ->check([](const std::string& text) {
        mode_t mode = 0;
        return ParseMode(text, &mode) ? "" : text + ": give permissions such as 0660";
      });
  flags_.add_option("--access-file", options_.access_file,
                    "Who may do what (docs/security.md). A new one is taken without a restart. "
                    "Without it, whoever can reach the server may do everything");
  flags_.add_flag("--insecure", options_.insecure,
                  "Serve at addresses that other machines can reach without TLS, or without a way "
                  "to know who calls: whoever can reach the server may do everything");
}

void Daemon::AddRetentionFlags() {
  RetentionOptions& keep = options_.engine.retention;
  const CLI::AsSizeValue bytes(/*kb_is_1000=*/false);
  flags_.add_option("--keep-age", keep_age_seconds_, "How long an ended run is kept, such as 7d")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
          CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME (s, m, h, d)"));
  flags_.add_option("--keep-runs", keep.max_runs, "How many runs are kept")
      ->check(CLI::NonNegativeNumber);
  flags_
      .add_option("--keep-bytes", keep.max_total_bytes,
                  "How much is kept of all logs, such as 10GB")
      ->transform(bytes);
  flags_
      .add_option("--keep-run-bytes", keep.max_run_bytes,
                  "How much is kept of one log; of a longer one the beginning is deleted")
      ->transform(bytes);
}

int Daemon::Run(int argc, char** argv, const std::function<absl::Status(Server&)>& prepare) {
  try {
    flags_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return flags_.exit(error) == 0 ? 0 : 1;
  }
  options_.heartbeat = absl::Seconds(heartbeat_seconds_);
  options_.stop_grace = absl::Seconds(stop_grace_seconds_);
  options_.engine.retention.max_age = absl::Seconds(keep_age_seconds_);
  if (mode_t mode = 0; ParseMode(socket_mode_, &mode)) options_.socket.mode = mode;
  BoundHeaps();
  SkipDeadlockDetection();
  // Each connection takes a descriptor, and the usual soft limit is 1024.
  process::RaiseDescriptorLimit();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>(name_, std::make_shared<StderrSink>()));
  LimitWhatProtobufSays();
  LimitWhatGrpcSays();
  return Serve(prepare);
}

int Daemon::Serve(const std::function<absl::Status(Server&)>& prepare) {
  if (!Server::InChildProcess())
    InstallHandlers(reload_ != nullptr || !options_.access_file.empty());
  const FreedMemory freed_memory;
  Server server(options_);
  absl::Status status = prepare(server);
  if (status.ok()) status = server.Start();
  if (!status.ok()) {
    std::cerr << name_ << ": " << status.message() << std::endl;
    return 1;
  }
  if (options_.insecure) {
    spdlog::warn("--insecure: whoever can reach this server may do everything, as its user");
  }
  if (geteuid() == 0 && !options_.insecure && options_.access_file.empty() && HasPort(server)) {
    spdlog::warn(
        "no --access-file: every user of this machine, and every job, may start the jobs of this "
        "server, which is root");
  }
  if (options_.store.directory.empty()) {
    spdlog::warn("no --data-dir: runs and logs are kept in memory, and are gone when this ends");
  }
  for (const std::string& address : server.grpc_addresses()) {
    std::cout << "grpc " << address << std::endl;
  }
  for (const std::string& url : server.http_urls()) std::cout << "http " << url << std::endl;

  while (WaitForSignal() == SIGHUP) {
    server.ReloadAccess();
    if (reload_) reload_(server);
  }
  std::thread([] {
    WaitForEnd();
    LeaveAtOnce(1);
  }).detach();
  std::thread([grace = options_.stop_grace] {
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(grace + kStopPatience));
    spdlog::error("calls still wait for the store, which does not answer: ended without it");
    LeaveAtOnce(1);
  }).detach();
  spdlog::info("stopping; the same signal again ends it at once");
  const size_t at_work = server.Stop();
  if (at_work > 0) spdlog::warn("{} jobs do not heed their stop token and are abandoned", at_work);
  LeaveAtOnce(0);
}

}  // namespace jobtail
