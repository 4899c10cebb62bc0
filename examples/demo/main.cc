// A server with a few C++ functions as jobs, and the commands of a config file if one is given: how
// jobtail is embedded.

#include <chrono>
#include <iostream>
#include <thread>

#include "jobs.h"
#include "server/config/config_jobs.h"
#include "server/daemon.h"
#include "server/process/process_pool.h"

namespace {

// What a thread outside any run prints stays on the server's terminal.
void Chatter(double interval_seconds) {
  std::thread([interval_seconds] {
    for (int i = 1;; ++i) {
      std::this_thread::sleep_for(std::chrono::duration<double>(interval_seconds));
      std::cout << "chatter " << i << std::endl;
    }
  }).detach();
}

}  // namespace

int main(int argc, char** argv) {
  jobtail::Daemon daemon("jobtail-demo", "A jobtail server with jobs to play with.");
  jobtail::process::ProcessPool processes;
  jobtail::config::ConfigJobs commands(&processes);
  commands.AddFlags(&daemon);
  double chatter_seconds = 0;
  daemon.flags().add_option("--chatter", chatter_seconds,
                            "Print a line every so many seconds on a thread outside any run");
  return daemon.Run(argc, argv, [&](jobtail::Server& server) {
    if (chatter_seconds > 0 && !jobtail::Server::InChildProcess()) Chatter(chatter_seconds);
    const absl::Status added = demo::AddJobs(server);
    return added.ok() ? commands.AddTo(server) : added;
  });
}
