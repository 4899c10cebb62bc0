// Threads that call a function as a job.
#include "server/run/function_executor.h"

#include <cxxabi.h>
#include <pthread.h>

#include <exception>
#include <string>
#include <system_error>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "capture/scope.h"

namespace jobtail {
namespace {

constexpr size_t kMaxThreadName = 15;  // the kernel's limit

// Also when the job ends its thread with pthread_exit, whose exception must go on its way.
void Execute(const JobFunction& function, Execution& run) {
  pthread_setname_np(pthread_self(), run.job().substr(0, kMaxThreadName).c_str());
  run.Started();
  JobResult result{1, "the job ended its own thread"};
  const absl::Cleanup end = [&] { run.Ended(result); };
  result = CallCaptured(function, run);
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

JobResult CallCaptured(const JobFunction& function, Execution& run) {
  JobContext context(
      run.id(), run.parameters(), run.stop_token(),
      [&run](double fraction, std::string_view text) { run.ReportProgress(fraction, text); },
      run.clock());
  const capture::Scope scope(&run.output());
  return Call(function, context);
}

absl::Status FunctionExecutor::Start(std::shared_ptr<Execution> run) const {
  try {
    // The run holds its job, and the job this.
    std::thread([this, run = std::move(run)] { Execute(function_, *run); }).detach();
    return absl::OkStatus();
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("no thread for the run: ", error.what(),
                                                     "; try again when fewer are running"));
  }
}

}  // namespace jobtail
