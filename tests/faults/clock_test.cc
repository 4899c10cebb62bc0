// A server whose clock somebody sets: nothing but the times of lines goes by it.
//
// Needs a machine of its own, as tests/support/in_uml.sh makes one: elsewhere these tests are
// skipped, and set nobody's clock.

#include <gmock/gmock.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "tests/e2e/fixture.h"
#include "tests/faults/counted_log.h"
#include "tests/faults/faulty_server.h"
#include "tests/faults/own_machine.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::faults {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::IsEmpty;

void SetClock(seconds step) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += step.count();
  ASSERT_EQ(clock_settime(CLOCK_REALTIME, &now), 0) << std::strerror(errno);
}

// Counts the heartbeats of a stream of which nothing else comes, for as long as it lives.
class Heartbeats {
 public:
  Heartbeats(v1::JobService::Stub* stub, const std::string& run)
      : reader_(stub->TailLog(&context_, e2e::Follow(run))), thread_([this] {
          v1::LogBatch batch;
          while (reader_->Read(&batch)) {
            for (const v1::LogLine& line : batch.lines()) count_ += line.has_heartbeat() ? 1 : 0;
          }
        }) {}
  ~Heartbeats() { context_.TryCancel(); }

  int count() const { return count_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::LogBatch>> reader_;
  std::atomic<int> count_ = 0;
  std::jthread thread_;  // last: it uses the rest
};

class OwnClock : public ::testing::Test {
 protected:
  static constexpr int kKept = 5;

  void SetUp() override {
    if (!IsOwnMachine()) GTEST_SKIP() << "it would set this machine's clock";
    BringUpLoopback();
  }

  std::string EndedRun(v1::JobService::Stub& stub) {
    const std::string run = e2e::StartRun(stub, "countdown", {{"times", "1"}, {"interval", "0s"}});
    e2e::WaitUntilEnded(stub, run);
    const auto& duration = e2e::GetRun(stub, run).result().duration();
    EXPECT_GE(duration.seconds(), 0);
    EXPECT_LT(duration.seconds(), 60);
    return run;
  }

  static bool IsThere(v1::JobService::Stub& stub, const std::string& run) {
    v1::GetRunRequest request;
    request.set_run(run);
    v1::Run found;
    grpc::ClientContext context;
    return stub.GetRun(&context, request, &found).ok();
  }

  // Makes one run too many, and expects that of those that have ended the oldest goes, and no
  // other.
  void ExpectRetention(v1::JobService::Stub& stub, std::deque<std::string>* ended) {
    ended->push_back(EndedRun(stub));
    const std::string oldest = ended->front();
    ended->pop_front();
    EXPECT_TRUE(Within(seconds(60), [&] { return !IsThere(stub, oldest); }));
    for (const std::string& run : *ended) EXPECT_TRUE(IsThere(stub, run)) << run;
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(OwnClock, MayBeSetWhileRunsAreAtWork) {
  // Two more runs are at work all the time.
  e2e::DemoServer server({"--data-dir=" + directory_.path() + "/data", "--heartbeat=1",
                          "--keep-age=30m", "--keep-runs=" + std::to_string(kKept + 2)});
  v1::JobService::Stub& stub = server.stub();
  const std::string busy =
      e2e::StartRun(stub, "countdown", {{"times", "1000000"}, {"interval", "10ms"}});
  const std::string idle = e2e::StartRun(stub, "countdown", {{"times", "2"}, {"interval", "1h"}});
  std::deque<std::string> ended;
  for (int i = 0; i < kKept; ++i) ended.push_back(EndedRun(stub));
  Follower follower(server.address(), busy);
  const Heartbeats heartbeats(&stub, idle);
  for (const hours step : {-hours(1), hours(1), hours(24), -hours(24)}) {
    SetClock(step);
    const int64_t lines = follower.last() + 100;
    const int beats = heartbeats.count() + 3;
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(Within(seconds(30), [&] { return follower.last() >= lines; })) << step.count();
    const auto took = std::chrono::steady_clock::now() - began;
    std::cout << "[ MEASURED ] ClockSet: by " << step.count() << " hours; a hundred lines took "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
    EXPECT_TRUE(Within(seconds(30), [&] { return heartbeats.count() >= beats; })) << step.count();
    if (step == hours(-1) || step == hours(24)) ExpectRetention(stub, &ended);
  }
  for (const std::string& run : {busy, idle}) {
    v1::CancelRunRequest request;
    request.set_run(run);
    v1::Run cancelled;
    grpc::ClientContext context;
    EXPECT_TRUE(stub.CancelRun(&context, request, &cancelled).ok());
    EXPECT_TRUE(Within(kPatience, [&] { return e2e::GetRun(stub, run).has_result(); }));
    const auto& duration = e2e::GetRun(stub, run).result().duration();
    EXPECT_GE(duration.seconds(), 0) << run;
    EXPECT_LT(duration.seconds(), 600) << run;
  }
  EXPECT_TRUE(Within(kPatience,
                     [&] { return follower.last() == e2e::GetRun(stub, busy).last_sequence(); }));
  follower.Stop();
  EXPECT_THAT(follower.ends(), IsEmpty());
  EXPECT_THAT(follower.log().gaps(), IsEmpty());
  e2e::Tail(stub, e2e::Follow(busy));  // expects that times never decrease
}

TEST_F(OwnClock, MayBeSetBackWhileTheServerStops) {
  e2e::DemoServer server({"--stop-grace=2"});
  const std::string run = e2e::StartRun(server.stub(), "stubborn", {{"duration", "1h"}});
  e2e::Transcript log;
  grpc::ClientContext context;
  const auto reader = server.stub().TailLog(&context, e2e::Follow(run));
  v1::LogBatch batch;
  while (log.records().empty() && reader->Read(&batch)) log.Add(batch);
  server.process().Signal(SIGTERM);
  // The grace has begun once no more runs are taken.
  EXPECT_TRUE(Within(kPatience, [&] {
    v1::CreateRunRequest request;
    request.set_job("countdown");
    v1::Run refused;
    grpc::ClientContext call;
    return server.stub().CreateRun(&call, request, &refused).error_code() ==
           grpc::StatusCode::UNAVAILABLE;
  }));
  SetClock(-hours(1));
  const testing::Outcome outcome = server.process().Wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(outcome.timed_out);
  SetClock(hours(1));
}

}  // namespace
}  // namespace jobtail::faults
