// A server that is killed at any moment, and started again on what it has left.

#include <gmock/gmock.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::TemporaryDirectory;

// JOBTAIL_CRASH_ROUNDS=N for more.
int Rounds() {
  const char* const rounds = std::getenv("JOBTAIL_CRASH_ROUNDS");
  return rounds ? std::atoi(rounds) : 8;
}

// The number of a line, from 1, as the firehose has it at its beginning and the countdown, from 0,
// in "Task #0".
int64_t NumberIn(std::string_view text) {
  const bool counts_from_zero = text.starts_with("Task #");
  if (counts_from_zero) text.remove_prefix(strlen("Task #"));
  int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return counts_from_zero ? number + 1 : number;
}

// Reads a firehose's or a countdown's log, across servers if need be: each line has its own number
// in its text.
class Follower {
 public:
  explicit Follower(std::string run) : run_(std::move(run)) {}

  // Goes on after the last record seen, until there are `records` more, the stream ends or breaks.
  void Read(v1::JobService::Stub& stub, int64_t records, bool follow) {
    v1::TailLogRequest request = Follow(run_);
    request.set_follow(follow);
    request.set_from_sequence(last_ + 1);
    grpc::ClientContext context;
    const auto reader = stub.TailLog(&context, request);
    const int64_t enough = last_ + records;
    for (v1::LogBatch batch; last_ < enough && reader->Read(&batch);) Take(batch);
    context.TryCancel();
    reader->Finish();
  }

  int64_t last() const { return last_; }
  const std::string& run() const { return run_; }
  const std::optional<v1::RunResult>& result() const { return result_; }

 private:
  void Take(const v1::LogBatch& batch) {
    for (const v1::LogLine& line : batch.lines()) {
      if (line.sequence() == 0) continue;
      ASSERT_FALSE(result_) << "after the end";
      ASSERT_EQ(line.sequence(), last_ + 1) << run_;
      last_ = line.sequence();
      if (line.has_result()) {
        result_ = line.result();
        continue;
      }
      ASSERT_EQ(NumberIn(line.text()), last_) << run_;
    }
  }

  const std::string run_;
  int64_t last_ = 0;
  std::optional<v1::RunResult> result_;
};

class Crash : public ::testing::Test {
 protected:
  std::unique_ptr<DemoServer> StartServer() {
    return std::make_unique<DemoServer>(
        std::vector<std::string>{"--data-dir=" + directory_.path()});
  }

  int64_t Random(int64_t at_most) { return 1 + static_cast<int64_t>(random_() % at_most); }

  // Reads each log as a new reader and as the one that was there when the server was killed: both
  // see every number up to the same end.
  static void CheckLost(v1::JobService::Stub& stub, Follower& follower) {
    Follower anew(follower.run());
    anew.Read(stub, INT64_MAX / 2, /*follow=*/true);
    EXPECT_GE(anew.last(), follower.last() + 1) << "a record that was seen is missing";
    follower.Read(stub, INT64_MAX / 2, /*follow=*/true);
    ASSERT_TRUE(anew.result() && follower.result());
    EXPECT_EQ(anew.last(), follower.last());
    EXPECT_EQ(anew.result()->state(), v1::RUN_STATE_LOST);
    EXPECT_EQ(anew.result()->total_lines(), anew.last() - 1);
    const v1::Run run = GetRun(stub, follower.run());
    EXPECT_EQ(run.state(), v1::RUN_STATE_LOST);
    EXPECT_EQ(run.last_sequence(), anew.last());
  }

  TemporaryDirectory directory_;
  std::mt19937_64 random_{std::random_device()()};
};

TEST_F(Crash, EveryLogIsAPrefixWithoutAGapAndHasAllThatAnyoneHasSeen) {
  constexpr int kRuns = 4;
  std::map<std::string, int64_t> ended;  // the last record of each
  std::unique_ptr<DemoServer> server = StartServer();
  for (int round = 0; round < Rounds(); ++round) {
    SCOPED_TRACE(round);
    std::vector<std::unique_ptr<Follower>> followers;
    std::vector<std::thread> readers;
    for (int i = 0; i < kRuns; ++i) {
      // The last one prints slowly: its lines come alone.
      const std::string run =
          i == kRuns - 1
              ? StartRun(server->stub(), "countdown", {{"times", "1000000"}, {"interval", "1ms"}})
              : StartRun(server->stub(), "firehose", {{"lines", "1000000000"}, {"bytes", "80"}});
      Follower& follower = *followers.emplace_back(std::make_unique<Follower>(run));
      readers.emplace_back([&] { follower.Read(server->stub(), INT64_MAX / 2, true); });
    }
    // How far the log gets before the server is killed.
    Follower(followers[0]->run()).Read(server->stub(), Random(100'000), true);
    server->process().Signal(SIGKILL);
    for (std::thread& reader : readers) reader.join();
    server->process().Wait();
    server = StartServer();
    for (const auto& follower : followers) {
      CheckLost(server->stub(), *follower);
      ended[follower->run()] = follower->last();
    }
    if (HasFailure()) return;
  }
  for (const auto& [run, last] : ended)
    EXPECT_EQ(GetRun(server->stub(), run).last_sequence(), last);
}

TEST_F(Crash, ARunThatHadEndedIsAsItWas) {
  std::unique_ptr<DemoServer> server = StartServer();
  const std::string run = StartRun(server->stub(), "firehose", {{"lines", "1000"}});
  const Transcript before = Tail(server->stub(), Follow(run));
  server->process().Signal(SIGKILL);
  server->process().Wait();
  server = StartServer();
  const Transcript after = Tail(server->stub(), Follow(run));
  EXPECT_EQ(after.Lines(), before.Lines());
  EXPECT_EQ(after.result().DebugString(), before.result().DebugString());
  EXPECT_EQ(GetRun(server->stub(), run).state(), v1::RUN_STATE_SUCCEEDED);
}

// Killed while it starts, too.
TEST_F(Crash, KilledWhileItTakesOverTheRunsOfBefore) {
  std::unique_ptr<DemoServer> server = StartServer();
  std::vector<std::unique_ptr<Follower>> followers;
  for (int i = 0; i < 20; ++i) {
    followers.push_back(std::make_unique<Follower>(
        StartRun(server->stub(), "firehose", {{"lines", "1000000000"}})));
  }
  for (const auto& follower : followers) follower->Read(server->stub(), 100, true);
  server->process().Signal(SIGKILL);
  server->process().Wait();
  for (int i = 0; i < 10; ++i) {
    jobtail::testing::Subprocess starting(
        {.command = {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0",
                     "--data-dir=" + directory_.path()}});
    // Wherever it has come to by then.
    for (int64_t yields = Random(3000); yields > 0; --yields) std::this_thread::yield();
    starting.Signal(SIGKILL);
    starting.Wait();
  }
  server = StartServer();
  for (const auto& follower : followers) CheckLost(server->stub(), *follower);
}

TEST_F(Crash, TheDataDirectoryOfARunningServerIsRefused) {
  const std::unique_ptr<DemoServer> server = StartServer();
  const jobtail::testing::Outcome outcome = jobtail::testing::Run(
      {.command = {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0",
                   "--data-dir=" + directory_.path()}});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, ::testing::HasSubstr("another server has it open"));
}

}  // namespace
}  // namespace jobtail::e2e
