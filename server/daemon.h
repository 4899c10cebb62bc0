// The main function of a program that is a jobtail server.
#ifndef JOBTAIL_SERVER_DAEMON_H_
#define JOBTAIL_SERVER_DAEMON_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "server/server.h"

namespace jobtail {

// What a program that is a jobtail server has besides its jobs: the flags, the addresses on stdout,
// and an orderly end.
//
//   int main(int argc, char** argv) {
//     jobtail::Daemon daemon("my-jobs", "Runs my jobs.");
//     return daemon.Run(argc, argv, [](jobtail::Server& server) { return server.AddJob(...); });
//   }
//
// To be made and run on the main thread, before any other thread is started. Where the program is
// process 1, as in a container, the constructor returns in a child process (server/init_process.h).
class Daemon {
 public:
  Daemon(const std::string& name, const std::string& description);

  // For flags of the program's own, before Run.
  CLI::App& flags() { return flags_; }

  // The access file that was given; empty before the flags are read, or where there is none.
  const std::string& access_file() const { return options_.access_file; }

  // Has SIGHUP call this while the server serves, on the main thread. Before Run. Without it,
  // SIGHUP ends the program like any other.
  void OnHangup(std::function<void(Server&)> reload) { reload_ = std::move(reload); }

  // Parses the flags, has `prepare` add the jobs, serves, prints `grpc HOST:PORT` and
  // `http http://HOST:PORT/` (or `grpc unix:PATH` and so on) once it does, and waits. SIGTERM or
  // SIGINT ends it in order; a second one at once. Returns the program's exit code: 0, or 1 with
  // the reason on stderr.
  int Run(int argc, char** argv, const std::function<absl::Status(Server&)>& prepare);

 private:
  void AddHttpFlags();
  void AddTransportFlags();
  void AddRetentionFlags();
  int Serve(const std::function<absl::Status(Server&)>& prepare);

  CLI::App flags_;
  std::function<void(Server&)> reload_;
  std::string name_;
  ServerOptions options_;
  double heartbeat_seconds_;
  double stop_grace_seconds_;
  double keep_age_seconds_ = 0;
  std::string socket_mode_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_DAEMON_H_
