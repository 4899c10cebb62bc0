// Threads that call a function as a job.
#include "server/run/function_executor.h"

#include <cxxabi.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/thread_slice.h"
#include "capture/current.h"
#include "capture/interposition.h"
#include "capture/line_buffer.h"
#include "server/run/current_run.h"
#include "server/run/relay.h"

namespace jobtail {
namespace {

constexpr size_t kMaxThreadName = 15;  // the kernel's limit

// A job works: who serves clients comes before it.
void BeginThread(const std::string& job) {
  TakeLongSlices();
  pthread_setname_np(pthread_self(), job.substr(0, kMaxThreadName).c_str());
}

// Text as whole lines.
void Print(std::string_view text, capture::Stream stream, int64_t time, capture::Sink& sink) {
  const auto write = [&](const capture::LineBuffer::Piece& piece, capture::Ending ending) {
    const capture::Line line{stream, ending, time, piece.text};
    sink.Write({&line, 1});
  };
  capture::LineBuffer buffer;
  capture::LineBuffer::Piece piece;
  while (buffer.Take(&text, &piece)) write(piece, piece.ending);
  if (buffer.HasPartial()) write(buffer.PeekPartial(), capture::Ending::kLf);
}

// A run whose function is called. Shared with what is called if the job ends the program.
class FunctionRun {
 public:
  explicit FunctionRun(std::shared_ptr<Execution> run) : run_(std::move(run)) {}

  Execution& run() { return *run_; }

  // The first result counts: a job can end the program while its function returns.
  void End(const JobResult& result) {
    if (!ended_.exchange(true)) run_->Ended(result);
  }

  void EndAtExit(int exit_code) {
    const std::string what = absl::StrCat("the job ended the whole program, with exit code ",
                                          exit_code, ", by calling exit");
    spdlog::critical("run {} of {}: {}", run_->id(), run_->job(), what);
    End({(exit_code & 0xff) == 0 ? 1 : exit_code & 0xff,
         absl::StrCat(what,
                      "; a function returns or throws, or has a process of its own "
                      "(InChildProcess)")});
  }

 private:
  const std::shared_ptr<Execution> run_;
  std::atomic<bool> ended_ = false;
};

// Where a function's output and reports go: what they do is done by `hand_on`.
struct Ways {
  capture::Sink* sink;
  std::function<void(absl::FunctionRef<void()>)> hand_on;
};

std::shared_ptr<JobContext> MakeContext(Execution& run, const Ways& ways) {
  return std::make_shared<JobContext>(
      run.id(), run.parameters(), run.stop_token(),
      [&run, hand_on = ways.hand_on](double fraction, std::string_view text) {
        hand_on([&] { run.ReportProgress(fraction, text); });
      },
      run.clock(),
      [&run, sink = ways.sink](std::string_view text, capture::Stream stream) {
        const capture::internal::Bypass as_within_a_sink;
        Print(text, stream, absl::ToUnixNanos(run.clock()->Now()), *sink);
      });
}

// Says so in the log where nearly nothing of what the function prints can come to it. A thread with
// descriptors of its own is captured by these.
void TellOfMissingOutput(const capture::Options& options, Execution& run, const Ways& ways) {
  const char* const problem = capture::InterpositionProblem();
  if (!problem || options.private_descriptors) return;
  const capture::internal::Bypass as_within_a_sink;
  Print(absl::StrCat("jobtail: output of this job is missing here. ", problem),
        capture::Stream::kStderr, absl::ToUnixNanos(run.clock()->Now()), *ways.sink);
}

// Calls it, with what the thread prints meanwhile going to the run.
JobResult CallCaptured(const JobFunction& function, const capture::Options& options,
                       const std::shared_ptr<FunctionRun>& function_run, const Ways& ways) {
  Execution& run = function_run->run();
  std::optional<capture::Scope> scope;
  try {
    scope.emplace(ways.sink, options);
  } catch (const std::system_error& error) {
    return {1, absl::StrCat("its output cannot be captured as the job asks for: ", error.what())};
  }
  TellOfMissingOutput(options, run, ways);
  const std::shared_ptr<JobContext> context = MakeContext(run, ways);
  const CurrentRun current(
      context, [&run](std::function<void()> work) { run.timers()->Soon(std::move(work)); },
      [function_run](int exit_code) { function_run->EndAtExit(exit_code); });
  return Call(function, *context);
}

// The result is also there when the job ends its thread with pthread_exit, whose exception must go
// on its way.
JobResult EndedItsThread() { return {1, "the job ended its own thread"}; }

JobResult CallBeside(const JobFunction& function, const capture::Options& options,
                     const std::shared_ptr<FunctionRun>& run) {
  Relay relay;
  RelaySink sink(&relay, &run->run().output());
  JobResult result = EndedItsThread();
  const auto call = [&] {
    BeginThread(run->run().job());
    const absl::Cleanup end = [&] { relay.Close(); };
    const Ways ways{&sink, [&relay](absl::FunctionRef<void()> work) { relay.Do(work); }};
    result = CallCaptured(function, options, run, ways);
  };
  try {
    std::thread thread(call);
    relay.Serve();
    thread.join();
  } catch (const std::system_error& error) {
    return {1, absl::StrCat("no thread for the function: ", error.what())};
  }
  return result;
}

void Execute(const JobFunction& function, const capture::Options& options,
             std::shared_ptr<Execution> execution) {
  BeginThread(execution->job());
  execution->Started();
  const auto run = std::make_shared<FunctionRun>(std::move(execution));
  JobResult result = EndedItsThread();
  const absl::Cleanup end = [&] { run->End(result); };
  if (options.private_descriptors) {
    result = CallBeside(function, options, run);
  } else {
    const Ways ways{&run->run().output(), [](absl::FunctionRef<void()> work) { work(); }};
    result = CallCaptured(function, options, run, ways);
  }
}

}  // namespace

// There is no object that the end of a thread is caught by: libstdc++ has the reference be one to
// nothing, and UBSan would say so.
__attribute__((no_sanitize("null"))) JobResult Call(const JobFunction& function,
                                                    JobContext& context) {
  try {
    return function(context);
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& exception) {
    return {1, absl::StrCat("exception: ", exception.what())};
  } catch (...) {
    return {1, "an exception that is no std::exception"};
  }
}

absl::Status FunctionExecutor::Start(std::shared_ptr<Execution> run) const {
  try {
    // The run holds its job, and the job this.
    std::thread([this, run = std::move(run)] { Execute(function_, capture_, run); }).detach();
    return absl::OkStatus();
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("no thread for the run: ", error.what(),
                                                     "; try again when fewer are running"));
  }
}

}  // namespace jobtail
