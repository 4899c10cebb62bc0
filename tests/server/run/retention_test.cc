// Tests of what retention deletes, and when.

#include "server/run/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/run/engine.h"
#include "server/store/rocksdb_store.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Gate;
using ::testing::IsEmpty;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::TemporaryDirectory;

constexpr int64_t kLineBytes = 1000;

// Applied only when a test says so.
class RetentionTest : public ::testing::TestWithParam<bool> {
 protected:
  ~RetentionTest() override {
    Release();
    if (engine_) engine_->Stop(absl::InfiniteDuration());
  }

  void Start(RetentionOptions options) {
    options.interval = absl::InfiniteDuration();
    if (GetParam()) {
      auto store = RocksDbStore::Open({.directory = directory_.path()});
      ASSERT_TRUE(store.ok()) << store.status();
      store_ = *std::move(store);
    } else {
      store_ = std::make_unique<MemoryStore>();
    }
    engine_ = std::make_unique<Engine>(store_.get(),
                                       EngineOptions{.retention = options, .clock = &clock_});
    const auto print = [](int64_t lines) {
      for (int64_t i = 1; i <= lines; ++i) puts(std::string(kLineBytes, 'x').c_str());
    };
    Add(Job("prints", [print](JobContext& run) {
          print(run.Get<int64_t>("lines"));
        }).With(Parameter::Int("lines").Default(1)));
    Add(Job("stays", [this, print](JobContext&) {
      print(1000);
      gate_.Pass();
    }));
  }

  void Add(Job job) { ASSERT_TRUE(engine_->AddJob(std::move(job)).ok()); }

  std::string Create(const std::string& job, int64_t lines = 1) {
    v1::CreateRunRequest request;
    request.set_job(job);
    if (job == "prints") (*request.mutable_parameters())["lines"] = absl::StrCat(lines);
    return engine_->CreateRun(request)->id();
  }

  std::string RunToEnd(int64_t lines = 1) {
    const std::string run = Create("prints", lines);
    ReadToEnd(*Open(run));
    return run;
  }

  std::unique_ptr<Cursor> Open(const std::string& run, int64_t from = 1) {
    v1::TailLogRequest request = testing::Follow();
    request.set_run(run);
    request.set_from_sequence(from);
    auto cursor = engine_->TailLog(request);
    EXPECT_TRUE(cursor.ok()) << cursor.status();
    return cursor.ok() ? *std::move(cursor) : nullptr;
  }

  std::vector<std::string> Runs() {
    std::vector<std::string> runs;
    const absl::StatusOr<v1::ListRunsResponse> response = engine_->ListRuns({});
    for (const v1::Run& run : response->runs()) runs.push_back(run.id());
    return runs;
  }

  // Waits until everything that was printed is stored.
  void AwaitLast(const std::string& run, int64_t last) {
    const PassingTime passing(&clock_);
    while (store_->GetExtent(run)->last < last) std::this_thread::yield();
  }

  // Lets the job that stays go on.
  void Release() {
    if (!std::exchange(released_, true)) gate_.Open();
  }

  FakeClock clock_;
  TemporaryDirectory directory_;
  bool released_ = false;
  Gate gate_;
  std::unique_ptr<LogStore> store_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RetentionTest, ::testing::Bool(),
                         [](const auto& stores) { return stores.param ? "RocksDb" : "Memory"; });

TEST_P(RetentionTest, KeepsEverythingWhereThereIsNoLimit) {
  Start({});
  const std::string run = RunToEnd(100);
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(run));
  EXPECT_EQ(RecordsOf(ReadToEnd(*Open(run))).size(), 101);
}

TEST_P(RetentionTest, DeletesTheOldestRunsBeyondTheNumber) {
  Start({.max_runs = 2});
  RunToEnd();
  const std::string second = RunToEnd();
  const std::string third = RunToEnd();
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(third, second));
}

TEST_P(RetentionTest, DeletesTheOldestRunsBeyondTheTotalSize) {
  Start({.max_total_bytes = 250 * kLineBytes});
  RunToEnd(100);
  const std::string second = RunToEnd(100);
  const std::string third = RunToEnd(100);
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(third, second));
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(third, second)) << "now it fits";
}

TEST_P(RetentionTest, DeletesRunsThatEndedLongAgo) {
  Start({.max_age = absl::Hours(1)});
  const std::string run = RunToEnd();
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(run)) << "it has just ended";
  clock_.Advance(absl::Hours(1));
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(run));
  clock_.Advance(absl::Seconds(1));
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), IsEmpty());
}

TEST_P(RetentionTest, NeverDeletesARunThatHasNotEnded) {
  Start({.max_age = absl::Nanoseconds(1), .max_total_bytes = 1, .max_runs = 1});
  const std::string run = Create("stays");
  gate_.AwaitArrival();
  RunToEnd();
  engine_->ApplyRetention();
  EXPECT_THAT(Runs(), ElementsAre(run));
}

// Of a log that is too large the beginning goes, and readers are told exactly what is missing.
TEST_P(RetentionTest, TrimsALogThatIsTooLargeWhileItGrows) {
  Start({.max_run_bytes = 300 * kLineBytes});
  const std::string run = Create("stays");
  gate_.AwaitArrival();
  const auto slow = Open(run);  // has read nothing yet
  AwaitLast(run, 1000);
  engine_->ApplyRetention();
  const LogExtent extent = *store_->GetExtent(run);
  EXPECT_LE(extent.bytes, 300 * kLineBytes);
  EXPECT_GT(extent.bytes, 150 * kLineBytes);
  EXPECT_GT(extent.first, 1);
  Release();
  for (const int64_t from : {int64_t{1}, int64_t{100}, extent.first - 1}) {
    SCOPED_TRACE(from);
    const auto lines = RecordsOf(ReadToEnd(from == 1 ? *slow : *Open(run, from)));
    ASSERT_EQ(lines.size(), 1 + 1001 - extent.first + 1);
    EXPECT_EQ(lines[0].gap().first(), from);
    EXPECT_EQ(lines[0].gap().last(), extent.first - 1);
    EXPECT_EQ(lines[0].gap().reason(), v1::GAP_REASON_RETENTION);
    EXPECT_EQ(lines[0].sequence(), extent.first - 1);
    EXPECT_EQ(lines[1].sequence(), extent.first);
    EXPECT_EQ(lines[0].time().DebugString(), lines[1].time().DebugString());
    EXPECT_TRUE(lines.back().has_result());
  }
  EXPECT_EQ(RecordsOf(ReadToEnd(*Open(run, extent.first)))[0].sequence(), extent.first);
}

TEST_P(RetentionTest, TrimsALogThatHasEnded) {
  Start({.max_run_bytes = 300 * kLineBytes});
  const std::string run = RunToEnd(1000);
  engine_->ApplyRetention();
  const auto lines = RecordsOf(ReadToEnd(*Open(run)));
  EXPECT_TRUE(lines.front().has_gap());
  EXPECT_TRUE(lines.back().has_result());
  EXPECT_EQ(lines.back().sequence(), 1001);
}

TEST_P(RetentionTest, SinceATimeThatMayHaveBeenDeletedBeginsWithTheGap) {
  Start({.max_run_bytes = 300 * kLineBytes});
  const std::string run = RunToEnd(1000);
  engine_->ApplyRetention();
  v1::TailLogRequest request;
  request.set_run(run);
  request.mutable_since()->set_seconds(1);
  const auto lines = RecordsOf(ReadToEnd(**engine_->TailLog(request)));
  EXPECT_EQ(lines.front().gap().first(), 1);
}

TEST_P(RetentionTest, EndsAReaderInTheMiddleOfADeletedLog) {
  Start({.max_runs = 1});
  const std::string run = RunToEnd(1000);
  const auto cursor = Open(run);
  std::vector<Slice> slices;
  ASSERT_TRUE(cursor->Read(1, &slices).ok());
  RunToEnd();
  engine_->ApplyRetention();
  slices.clear();
  EXPECT_EQ(cursor->Read(1, &slices).status(),
            absl::NotFoundError(absl::StrCat("run ", run, " was deleted")));
}

}  // namespace
}  // namespace jobtail
