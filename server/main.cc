// jobtaild: runs the commands of a config file and lets anyone watch what they print.

#include "server/access/token_commands.h"
#include "server/config/config_jobs.h"
#include "server/daemon.h"
#include "server/process/process_pool.h"

int main(int argc, char** argv) {
  jobtail::Daemon daemon("jobtaild", "Runs the jobs of a config file.");
  jobtail::process::ProcessPool processes;
  jobtail::config::ConfigJobs jobs(&processes);
  jobs.AddFlags(&daemon);
  jobtail::access::AddTokenCommands(&daemon.flags());
  return daemon.Run(argc, argv, [&](jobtail::Server& server) {
    jobtail::process::AdoptOrphans();  // all its children are commands
    return jobs.AddTo(server);
  });
}
