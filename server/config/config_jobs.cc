// The flags for a config file, and reading it again.

#include "server/config/config_jobs.h"

#include <spdlog/spdlog.h>

#include <iostream>
#include <utility>

#include "server/access/access_control.h"
#include "server/config/config.h"

namespace jobtail::config {

void ConfigJobs::AddFlags(Daemon* daemon) {
  daemon->flags().add_option("--config", file_,
                             "The file that describes the jobs; read again on SIGHUP");
  daemon->flags()
      .add_option("--cgroup", cgroup_,
                  "A directory of control groups (version 2) for the commands' runs that is this "
                  "server's alone; auto: its own group, if that has been delegated to it; none")
      ->capture_default_str();
  daemon->flags().add_flag_callback(
      "--check-config", [this, daemon] { throw CLI::RuntimeError(Check(*daemon)); },
      "Says whether the files of --config and --access-file are right, and ends");
  daemon->OnHangup([this](Server& server) { Reload(server); });
}

// The exit code.
int ConfigJobs::Check(const Daemon& daemon) const {
  const std::string& access = daemon.access_file();
  if (file_.empty() && access.empty()) {
    std::cerr << "--check-config: there is no file to check; give --config=FILE" << std::endl;
    return 1;
  }
  if (!access.empty()) {
    const absl::Status right = access::AccessControl::Check(access);
    (right.ok() ? std::cout : std::cerr)
        << (right.ok() ? access + ": right" : std::string(right.message())) << std::endl;
    if (!right.ok() || file_.empty()) return right.ok() ? 0 : 1;
  }
  const absl::StatusOr<std::vector<Job>> jobs = Load(file_, processes_);
  if (!jobs.ok()) {
    std::cerr << jobs.status().message() << std::endl;
    return 1;
  }
  std::cout << file_ << ": right; " << jobs->size() << (jobs->size() == 1 ? " job" : " jobs")
            << std::endl;
  return 0;
}

absl::Status ConfigJobs::AddTo(Server& server) {
  const bool wanted = !file_.empty() && !Server::InChildProcess();  // a child calls functions
  if (!wanted) return absl::OkStatus();
  auto cgroups = process::Cgroups::Open(cgroup_);
  if (!cgroups.ok()) return cgroups.status();
  processes_->UseCgroups(*std::move(cgroups));
  return Replace(server);
}

absl::Status ConfigJobs::Replace(Server& server) {
  absl::StatusOr<std::vector<Job>> jobs = Load(file_, processes_);
  if (!jobs.ok()) return jobs.status();
  std::vector<std::string> names;
  for (const Job& job : *jobs) names.push_back(job.name());
  const absl::Status status = server.ReplaceJobs(names_, *std::move(jobs));
  if (status.ok()) names_ = std::move(names);
  return status;
}

void ConfigJobs::Reload(Server& server) {
  if (file_.empty()) return;
  const absl::Status status = Replace(server);
  if (status.ok()) {
    spdlog::info("{}: read again; {} jobs. Runs at work keep what they started with", file_,
                 names_.size());
  } else {
    spdlog::error("the jobs stay as they are, because the new file is wrong:\n{}",
                  std::string(status.message()));
  }
}

}  // namespace jobtail::config
