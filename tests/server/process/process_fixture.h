// The fixture of tests whose jobs are commands.
#ifndef JOBTAIL_TESTS_SERVER_PROCESS_PROCESS_FIXTURE_H_
#define JOBTAIL_TESTS_SERVER_PROCESS_PROCESS_FIXTURE_H_

#include <string>
#include <utility>
#include <vector>

#include "server/process/process_pool.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail::testing {

// What outlives the engine.
struct HasPool {
  explicit HasPool(process::ProcessPool::KillStraysFunction kill_strays = process::KillStrays)
      : pool_(std::move(kill_strays)) {}
  process::ProcessPool pool_;
};

// An engine whose jobs are commands.
class ProcessTest : public HasPool, public EngineTest {
 protected:
  explicit ProcessTest(const EngineOptions& options = {},
                       process::ProcessPool::KillStraysFunction kill_strays = process::KillStrays)
      : HasPool(std::move(kill_strays)), EngineTest(options) {}

  static process::Command Program(std::vector<std::string> arguments);
  // A script for sh.
  static process::Command Shell(const std::string& script);

  // Starts it as a job of its own and returns the run's id.
  std::string StartCommand(process::Command command);
  // The same, and waits for the end.
  std::vector<v1::LogLine> RunCommand(process::Command command);
  v1::RunResult ResultOf(process::Command command) { return RunCommand(command).back().result(); }

  // Waits until the run has printed the line. False if it ends without.
  bool AwaitLine(const std::string& run, const std::string& line);

  TemporaryDirectory directory_;

 private:
  int jobs_ = 0;
};

// What was printed on a stream, byte for byte.
std::string Printed(const std::vector<v1::LogLine>& records, v1::Stream stream);
// The lines' texts.
std::vector<std::string> Lines(const std::vector<v1::LogLine>& records);

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_PROCESS_PROCESS_FIXTURE_H_
