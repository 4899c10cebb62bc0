// The fixtures of tests of the engine, on the system's clock or on one that stands still.
#ifndef JOBTAIL_TESTS_SERVER_RUN_ENGINE_FIXTURE_H_
#define JOBTAIL_TESTS_SERVER_RUN_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/run/engine.h"
#include "server/store/memory_store.h"
#include "tests/server/support/faulty_store.h"
#include "tests/support/fake_clock.h"

namespace jobtail::testing {

using Parameters = std::map<std::string, std::string>;

// A base, so that the clock is there before what uses it.
struct WithFakeClock {
  FakeClock clock_;
};

// An engine on a store that a test can disturb. At the end of the test it stops every run.
class EngineTest : public ::testing::Test {
 protected:
  using Call = FaultyStore::Call;

  explicit EngineTest(const EngineOptions& options = {});
  ~EngineTest() override;

  void AddJob(Job job);
  // Adds a job that does nothing until it is asked to stop.
  void AddWaitingJob(const std::string& name);

  absl::StatusOr<v1::Run> Create(const std::string& job, const Parameters& parameters = {},
                                 const std::string& request_id = "");
  // The same, where it is sure to succeed, and returns the run's id.
  std::string Start(const std::string& job, const Parameters& parameters = {});
  absl::StatusOr<v1::Run> TryGet(const std::string& run);
  v1::Run Get(const std::string& run);
  absl::StatusOr<v1::Run> Cancel(const std::string& run);
  absl::Status Delete(const std::string& run);

  // Waits for the end and returns every record of the log.
  std::vector<v1::LogLine> AwaitLog(const std::string& run);
  v1::RunResult AwaitResult(const std::string& run);
  // Waits for the end, and until the log is in the store alone, which is a moment later.
  void AwaitClosed(const std::string& run);
  // Starts a run and does the same.
  std::vector<v1::LogLine> Run(const std::string& job, const Parameters& parameters = {});
  // Reads what there is of the log, without waiting.
  std::vector<v1::LogLine> ReadLog(const std::string& run);

  MemoryStore memory_;
  FaultyStore store_{&memory_};
  Engine engine_;
};

// The same on a clock that stands still.
class ClockedEngineTest : private WithFakeClock, public EngineTest {
 protected:
  using WithFakeClock::clock_;

  explicit ClockedEngineTest(EngineOptions options = {}) : EngineTest(On(&clock_, options)) {}

 private:
  static EngineOptions On(FakeClock* clock, EngineOptions options) {
    options.clock = clock;
    return options;
  }
};

// Holds back a job at a point until a test lets it go on, once or more.
//
//   AddJob(Job("job", [&](JobContext&) { gate.Pass(); }));
//   gate.AwaitArrival();
//   gate.Open();
class Gate {
 public:
  void Pass() {
    arrived_.Notify();
    opened_.WaitForNotification();
  }
  void AwaitArrival() { arrived_.WaitForNotification(); }
  void Open() { opened_.Notify(); }

 private:
  absl::Notification arrived_;
  absl::Notification opened_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_RUN_ENGINE_FIXTURE_H_
