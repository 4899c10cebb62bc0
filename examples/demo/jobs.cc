// The demo's jobs: one for each thing that a job can do.

#include "jobs.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace demo {
namespace {

using jobtail::Job;
using jobtail::JobContext;
using jobtail::Parameter;

void Countdown(JobContext& run) {
  const auto times = run.Get<int64_t>("times");
  for (int64_t i = 0; i < times; ++i) {
    std::cout << "Task #" << i << std::endl;
    if (!run.SleepFor(run.Get<absl::Duration>("interval"))) return;
  }
  std::cout << "Done" << std::endl;
}

// Every line is its number, filled up: the reader can check that none is missing.
void Firehose(JobContext& run) {
  const auto lines = run.Get<int64_t>("lines");
  const std::string filler(run.Get<int64_t>("bytes"), '.');
  for (int64_t i = 1; i <= lines && !run.stop_token().stop_requested(); ++i) {
    const std::string number = std::to_string(i) + " ";
    std::string line = filler;
    line.replace(0, std::min(line.size(), number.size()), number, 0, line.size());
    puts(line.c_str());
  }
}

// A thread that the job starts is captured, too, and no line of one thread is torn by another's.
void Threads(JobContext& run) {
  std::vector<std::jthread> threads;
  const auto lines = run.Get<int64_t>("lines");
  for (int64_t t = 0; t < run.Get<int64_t>("threads"); ++t) {
    threads.emplace_back([t, lines] {
      for (int64_t i = 0; i < lines; ++i) {
        std::cout << "thread " << t << " line " << i << " of " << lines << std::endl;
      }
    });
  }
}

// As wget and pip do it: each "\r" has the next state overwrite the last. The same is reported as
// progress.
void ProgressBar(JobContext& run) {
  constexpr int kWidth = 40;
  const auto steps = run.Get<int64_t>("steps");
  for (int64_t i = 1; i <= steps; ++i) {
    const int done = static_cast<int>(kWidth * i / steps);
    printf("\r[%s%s] %3d%%", std::string(done, '#').c_str(),
           std::string(kWidth - done, ' ').c_str(), static_cast<int>(100 * i / steps));
    fflush(stdout);
    run.Progress(static_cast<double>(i) / static_cast<double>(steps), "step " + std::to_string(i));
    if (!run.SleepFor(run.Get<absl::Duration>("interval"))) return;
  }
  printf("\n");
}

// What terminals do with text: colours, styles, links, a bar that is drawn over itself.
void Colours(JobContext& run) {
  static constexpr const char* kNames[] = {"black", "red",     "green", "yellow",
                                           "blue",  "magenta", "cyan",  "white"};
  for (int i = 0; i < 8; ++i) {
    printf(
        "\033[%dm%-8s\033[0m \033[%dmbright\033[0m \033[1;%dmbold\033[0m \033[%d;97m on it "
        "\033[0m\n",
        30 + i, kNames[i], 90 + i, 30 + i, 40 + i);
  }
  for (int i = 0; i < 64; ++i) printf("\033[48;2;%d;%d;%dm \033[0m", 4 * i, 90, 255 - 4 * i);
  printf(
      "\n\033[2mdim\033[0m \033[3mitalic\033[0m \033[4munderlined\033[0m \033[7mreversed\033[0m "
      "\033[9mstruck out\033[0m\n");
  printf("A link: \033]8;;https://example.org/\033\\example.org\033]8;;\033\\\n");
  for (int percent = 0; percent <= 100; percent += 20) printf("\rloading %3d %%", percent);
  printf("\r\033[Kloaded\n");
  std::cerr << "\033[33mwarning:\033[0m this line is on stderr" << std::endl;
}

void Say(JobContext& run) { std::cout << run.Get<std::string>("text") << std::endl; }

void Throws(JobContext& run) {
  std::cout << "Opening the valve" << std::endl;
  std::cerr << "Pressure is too high" << std::endl;
  throw std::runtime_error("the valve is stuck");
}

// Bytes that are easily lost on the way: invalid UTF-8, NUL, an empty line, a line of many
// megabytes, and at the end a line without its newline.
void Bytes(JobContext& run) {
  std::cout << "caf\xC3\xA9 \xE2\x9C\x93\n";
  std::cout << "caf\xE9 \xFF\xFE\n";
  std::cout << std::string("nul\0nul", 7) << '\n';
  std::cout << '\n';
  std::cout << std::string(run.Get<int64_t>("long_line"), 'x') << '\n';
  std::cerr << "on stderr\n";
  std::cout << "no newline at the end";
}

int Exit(JobContext& run) {
  std::cerr << "exiting with " << run.Get<int64_t>("code") << std::endl;
  return static_cast<int>(run.Get<int64_t>("code"));
}

// Most jobs should not be like this: the server has to leave without it.
void Stubborn(JobContext& run) {
  std::cout << "Not listening" << std::endl;
  std::this_thread::sleep_for(absl::ToChronoNanoseconds(run.Get<absl::Duration>("duration")));
}

// What a bug in a library may do to a job. This one runs in a process of its own, so that only the
// job ends.
void Segfaults(JobContext& run) {
  std::cout << "Reading what is not there" << std::endl;
  const volatile int* const nothing = nullptr;
  std::cout << *nothing << std::endl;
}

}  // namespace

absl::Status AddJobs(jobtail::Server& server) {
  const Job jobs[] = {
      Job("countdown", Countdown)
          .Help("Prints a line at each interval, then Done.")
          .With(Parameter::Int("times").Default(10).Range(0, 1'000'000).Help("How many lines."))
          .With(Parameter::Duration("interval")
                    .Default(absl::Seconds(1))
                    .Range(absl::ZeroDuration(), absl::Hours(24))
                    .Help("The time between two lines.")),
      Job("firehose", Firehose)
          .Help("Prints numbered lines as fast as it can.")
          .With(Parameter::Int("lines").Default(100'000).Range(0, 1'000'000'000).Help("How many."))
          .With(Parameter::Int("bytes").Default(80).Range(0, 1 << 20).Help("The length of each.")),
      Job("threads", Threads)
          .Help("Prints from several threads at once.")
          .With(Parameter::Int("threads").Default(8).Range(1, 256).Help("How many threads."))
          .With(Parameter::Int("lines").Default(1000).Range(0, 1'000'000).Help("Lines of each.")),
      Job("progress", ProgressBar)
          .Help("Draws a progress bar, as command line tools do.")
          .With(Parameter::Int("steps").Default(50).Range(1, 100'000).Help("How many steps."))
          .With(Parameter::Duration("interval")
                    .Default(absl::Milliseconds(100))
                    .Range(absl::ZeroDuration(), absl::Hours(1))
                    .Help("The time between two steps.")),
      Job("colours", Colours).Help("Shows what a terminal's escape sequences look like."),
      Job("say", Say)
          .Help("Prints a text as it is.")
          .With(Parameter::String("text").Help("What to print.")),
      Job("throws", Throws).Help("Prints a little, then throws an exception."),
      Job("bytes", Bytes)
          .Help("Prints bytes that are easily lost: bad UTF-8, NUL, a huge line, no last newline.")
          .With(Parameter::Int("long_line")
                    .Default(10'000'000)
                    .Range(0, 100'000'000)
                    .Help("The length of the huge line.")),
      Job("stubborn", Stubborn)
          .Help("Ignores that it is asked to stop.")
          .With(Parameter::Duration("duration")
                    .Default(absl::Seconds(30))
                    .Range(absl::ZeroDuration(), absl::Hours(24))
                    .Help("How long it takes.")),
      Job("segfaults", Segfaults).Help("Crashes, in a process of its own.").InChildProcess(),
      Job("exit", Exit)
          .Help("Ends with an exit code.")
          .With(Parameter::Int("code").Range(0, 255).Help("The exit code.")),
  };
  for (const Job& job : jobs) {
    if (absl::Status added = server.AddJob(job); !added.ok()) return added;
  }
  return absl::OkStatus();
}

}  // namespace demo
