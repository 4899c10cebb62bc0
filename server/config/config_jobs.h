// The jobs of a config file in a server program: its flags, and reading it again on SIGHUP.
#ifndef JOBTAIL_SERVER_CONFIG_CONFIG_JOBS_H_
#define JOBTAIL_SERVER_CONFIG_CONFIG_JOBS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/daemon.h"
#include "server/process/process_pool.h"
#include "server/server.h"

namespace jobtail::config {

// The jobs that a server program has from a config file: the flags --config, --cgroup and
// --check-config, and reading it again on SIGHUP. Used by the main thread.
//
//   ProcessPool processes;            // outlives the server
//   ConfigJobs jobs(&processes);
//   jobs.AddFlags(&daemon);
//   daemon.Run(argc, argv, [&](Server& server) { return jobs.AddTo(server); });
class ConfigJobs {
 public:
  explicit ConfigJobs(process::ProcessPool* processes) : processes_(processes) {}

  void AddFlags(Daemon* daemon);

  // Adds the file's jobs to the server, if a file was given.
  absl::Status AddTo(Server& server);

  // Puts the file's jobs, as they are now, in the place of those that were added before. If
  // something is wrong, nothing changes, and the server's log says what.
  void Reload(Server& server);

 private:
  int Check(const Daemon& daemon) const;
  absl::Status Replace(Server& server);

  process::ProcessPool* const processes_;
  std::string file_;
  std::string cgroup_ = "auto";
  std::vector<std::string> names_;  // of the jobs that were added
};

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_CONFIG_JOBS_H_
