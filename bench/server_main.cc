// A jobtail server whose jobs are the work that is measured. Its flags are those of every server.

#include "bench/workload.h"
#include "server/daemon.h"

namespace {

using jobtail::Job;
using jobtail::JobContext;
using jobtail::Parameter;

void Lines(JobContext& run) {
  jobtail::bench::WaitAtGate(run.Get<std::string>("gate"));
  jobtail::bench::PrintLines(run.Get<int64_t>("lines"), run.Get<int64_t>("bytes"));
}

void Stamps(JobContext& run) {
  jobtail::bench::PrintStamps(run.Get<int64_t>("count"), run.Get<int64_t>("interval_micros"));
}

void Entries(JobContext& run) {
  jobtail::bench::PrintEntries(run.Get<int64_t>("entries"));
  while (run.Get<bool>("stays") && run.SleepFor(absl::Hours(1))) {
  }
}

void Idle(JobContext& run) {
  while (run.SleepFor(absl::Hours(1))) {
  }
}

absl::Status AddJobs(jobtail::Server& server) {
  const Job jobs[] = {
      Job("lines", Lines)
          .Help("Prints lines as fast as it can.")
          .With(Parameter::Int("lines").Help("How many."))
          .With(Parameter::Int("bytes").Default(80).Help("The length of each."))
          .With(Parameter::String("gate").Default("").Help("The fifo whose opening to wait for.")),
      Job("stamps", Stamps)
          .Help("Prints the time.")
          .With(Parameter::Int("count").Help("How often."))
          .With(Parameter::Int("interval_micros").Help("The time between two lines.")),
      Job("entries", Entries)
          .Help("Prints what looks like a server's log.")
          .With(Parameter::Int("entries").Help("How many lines."))
          .With(Parameter::Bool("stays").Default(false).Help("Whether to wait for its end then.")),
      Job("idle", Idle).Help("Prints nothing until it is cancelled."),
  };
  for (const Job& job : jobs) {
    if (absl::Status added = server.AddJob(job); !added.ok()) return added;
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  jobtail::Daemon daemon("bench-server", "A jobtail server to be measured.");
  return daemon.Run(argc, argv, AddJobs);
}
