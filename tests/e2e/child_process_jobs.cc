// The jobs of child_process_test: what a process of its own can do wrong, and what it must not.
#include "tests/e2e/child_process_jobs.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::ReadFile;

// As the system has it: a sanitizer makes of a crash an exit.
void Die(int signal) {
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void Crash(JobContext& run) {
  for (int i = 0; i < 1000; ++i) std::cout << "line " << i << '\n';
  printf("last line\n");
  Die(static_cast<int>(run.Get<int64_t>("signal")));
}

void CrashUnsynchronized(JobContext&) {
  std::cout << "of a stream with a buffer of its own\n";
  Die(SIGABRT);
}

void ShowParameters(JobContext& run) {
  std::cout << run.Get<std::string>("string") << "\n"
            << run.Get<int64_t>("int") << "\n"
            << (run.Get<double>("double") == 0.1) << "\n"
            << run.Get<bool>("bool") << "\n"
            << run.Get<absl::Duration>("duration") << "\n"
            << run.Get<std::string>("path") << "\n"
            << run.Get<std::string>("enum") << "\n"
            << run.Get<std::string>("preset") << "\n"
            << run.run_id() << "\n";
}

// "secret" is hidden, were it printed.
void LookForSecret(JobContext& run) {
  const auto& secret = run.Get<std::string>("secret");
  const auto has_it = [&](const char* file) {
    return ReadFile(file).find(secret) != std::string::npos;
  };
  std::cout << secret.size() << has_it("/proc/self/cmdline") << has_it("/proc/self/environ")
            << std::endl;
  std::cout << "it is " << secret << std::endl;
}

void Wait(JobContext& run) {
  std::cout << "waiting " << getpid() << std::endl;
  run.Progress(0.25, "a quarter");
  run.SleepFor(absl::InfiniteDuration());
  std::cout << (run.stop_token().stop_requested() ? "asked to stop" : "not asked") << std::endl;
}

void Ignore(JobContext& run) {
  std::cout << "waiting " << getpid() << std::endl;
  while (true) pause();
}

void Hesitate(JobContext& run) {
  printf("password:");
  run.SleepFor(absl::InfiniteDuration());
}

void LeaveProcess(JobContext& run) {
  fflush(stdout);
  if (const pid_t child = fork(); child == 0) {
    while (true) pause();
  } else {
    std::cout << child << std::endl;
  }
}

// Programs that the job starts must be as free as any.
void Start(JobContext& run) {
  std::cout << "job " << getenv("JOBTAIL_JOB") << ", child " << (getenv("JOBTAIL_CHILD") != nullptr)
            << std::endl;
  const int status =
      system("grep ^SigBlk /proc/self/status; cat; ls /proc/self/fd | wc -l; kill $$");
  std::cout << "signal " << WTERMSIG(status) << std::endl;
}

void Alternate(JobContext& run) {
  for (int i = 0; i < 500; ++i) (i % 2 ? std::cerr : std::cout) << absl::StrCat(i, "\n");
}

int calls = 0;

void Count(JobContext& run) {
  std::cout << "call " << ++calls << " of " << run.Get<int64_t>("number") << std::endl;
  run.SleepFor(absl::Milliseconds(20));
}

std::vector<Job> Jobs() {
  return {
      Job("crash", Crash).With(Parameter::Int("signal")),
      Job("crash-unsynchronized", CrashUnsynchronized),
      Job("parameters", ShowParameters)
          .With(Parameter::String("string"))
          .With(Parameter::Int("int"))
          .With(Parameter::Double("double"))
          .With(Parameter::Bool("bool"))
          .With(Parameter::Duration("duration"))
          .With(Parameter::Path("path"))
          .With(Parameter::Enum("enum", {"a", "b"}))
          .With(Parameter::String("preset").Default("as declared")),
      Job("secret", LookForSecret).With(Parameter::String("secret").Secret()),
      Job("status", [](JobContext&) { return absl::NotFoundError("no such valve"); }),
      Job("throws", [](JobContext&) { throw std::runtime_error("the valve is \xff stuck"); }),
      Job("code", [](JobContext&) { return 300; }),
      Job("exits", [](JobContext&) { exit(0); }),
      Job("ends-thread", [](JobContext&) { pthread_exit(nullptr); }),
      Job("terminates",
          [](JobContext&) { std::thread([] { throw std::logic_error("no"); }).join(); }),
      Job("waits", Wait),
      Job("hesitates", Hesitate),
      Job("leaves-process", LeaveProcess),
      Job("starts", Start),
      Job("counts", Count).With(Parameter::Int("number")),
      Job("progress",
          [](JobContext& run) {
            for (int i = 0; i <= 100'000; ++i) run.Progress(i / 100'000.0, absl::StrCat(i));
            run.SleepFor(absl::InfiniteDuration());
          }),
      Job("silent", [](JobContext&) {}),
  };
}

}  // namespace

void AddJobs(Server& server) {
  std::vector<Job> jobs = Jobs();
  for (Job& job : jobs) EXPECT_TRUE(server.AddJob(job.InChildProcess()).ok()) << job.name();
  EXPECT_TRUE(
      server.AddJob(Job("ignores", Ignore).InChildProcess({.grace = absl::Milliseconds(50)})).ok());
  EXPECT_TRUE(
      server.AddJob(Job("alternates", Alternate).InChildProcess({.exact_order = true})).ok());
}

}  // namespace jobtail::e2e
