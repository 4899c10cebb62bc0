// Commands that begin while the store hangs, and those that are at work.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/process/process_fixture.h"

namespace jobtail::testing {
namespace {

// The store takes a run, and hangs when it is told that the run has begun.
class HangsAtBegin : public Executor {
 public:
  HangsAtBegin(process::Command command, process::ProcessPool* pool, FaultyStore* store, Gate* gate)
      : command_(std::move(command)), pool_(pool), store_(store), gate_(gate) {}

  absl::Status Start(std::shared_ptr<Execution> run) const override {
    store_->AfterNext(FaultyStore::Call::kPutRun, [gate = gate_] { gate->Pass(); });
    pool_->Start(command_, std::move(run));
    return absl::OkStatus();
  }

 private:
  const process::Command command_;
  process::ProcessPool* const pool_;
  FaultyStore* const store_;
  Gate* const gate_;
};

TEST_F(ProcessTest, CommandsAreReadAndCancelledWhileTheStoreKeepsOthersFromBeginning) {
  const std::string file = directory_.path() + "/go-on";
  const std::string run = StartCommand(Shell("echo ready; while [ ! -e " + file +
                                             " ]; do sleep 0.01; done; echo went on; "
                                             "exec sleep 1000"));
  ASSERT_TRUE(AwaitLine(run, "ready"));
  std::array<Gate, 2> gates;  // as many as there are threads that read
  std::array<std::string, 2> hanging;
  for (size_t i = 0; i < gates.size(); ++i) {
    const std::string name = "hangs-" + std::to_string(i);
    AddJob(Job(name, std::make_shared<HangsAtBegin>(Program({"/bin/echo", "begun"}), &pool_,
                                                    &store_, &gates[i])));
    hanging[i] = Start(name);
    gates[i].AwaitArrival();
  }
  WriteFile(file, "");
  EXPECT_TRUE(AwaitLine(run, "went on"));
  EXPECT_TRUE(Cancel(run).ok());
  EXPECT_TRUE(Eventually([&] { return Get(run).state() == v1::RUN_STATE_CANCELLED; }));
  for (Gate& gate : gates) gate.Open();
  for (const std::string& begun : hanging) {
    EXPECT_EQ(Lines(AwaitLog(begun)), std::vector<std::string>{"begun"});
  }
}

// Those who store what is large, as many as there are, wait for the store.
TEST_F(ProcessTest, AQuietCommandsLinesAreStoredWhileThoseOfLoudOnesAreHeldUp) {
  std::array<std::string, 2> loud;
  for (std::string& run : loud) run = StartCommand(Program({"/usr/bin/yes", "loud"}));
  for (const std::string& run : loud) {
    const auto stored = [&] { return memory_.GetExtent(run)->bytes; };
    EXPECT_TRUE(Eventually([&] { return stored() > int64_t{1} << 20; }));
    store_.Block(FaultyStore::Call::kAppend, run);
  }
  store_.AwaitBlocked(FaultyStore::Call::kAppend, static_cast<int>(loud.size()));
  const std::string quiet = StartCommand(Shell("echo quiet; exec sleep 1000"));
  EXPECT_TRUE(AwaitLine(quiet, "quiet"));
  EXPECT_EQ(memory_.GetExtent(quiet)->last, 1);
  store_.Unblock(FaultyStore::Call::kAppend);
}

// The same on a clock that stands still.
class ClockedProcessTest : private WithFakeClock, public ProcessTest {
 protected:
  using WithFakeClock::clock_;
  ClockedProcessTest() : ProcessTest(On(&clock_)) {}

 private:
  static EngineOptions On(FakeClock* clock) {
    EngineOptions options;
    options.clock = clock;
    return options;
  }
};

TEST_F(ClockedProcessTest, LinesAreDatedByTheServersClock) {
  const auto records = RunCommand(Shell("echo line; printf rest"));
  EXPECT_THAT(Lines(records), ::testing::ElementsAre("line", "rest"));
  for (const v1::LogLine& record : records) {
    EXPECT_EQ(record.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  }
}

TEST_F(ClockedProcessTest, UnfinishedTextIsShownOnceItHasWaitedByTheServersClock) {
  const std::string run = StartCommand(Shell("echo line; printf rest; exec sleep 1000"));
  EXPECT_TRUE(Eventually([&] {
    clock_.Advance(absl::Milliseconds(100));
    return ReadLog(run).size() == 2;
  }));
  ASSERT_TRUE(Cancel(run).ok());
  EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_CANCELLED);
}

}  // namespace
}  // namespace jobtail::testing
