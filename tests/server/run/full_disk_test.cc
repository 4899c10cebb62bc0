// A disk without room: runs go on, with a gap where they must, and all is well once there is room.

#include "tests/server/support/full_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/run/engine.h"
#include "server/store/rocksdb_store.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

using testing::FullDisk;
using ::testing::HasSubstr;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::TemporaryDirectory;

// The parameter is whether the disk admits that it is full, or RocksDB finds out by writing.
class FullDiskTest : public ::testing::TestWithParam<bool> {
 protected:
  FullDiskTest() {
    disk_.SetAdmits(GetParam());
    auto store = RocksDbStore::Open({.directory = directory_.path(),
                                     .sync_interval = absl::Milliseconds(20),
                                     .env = disk_.env()});
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    engine_ =
        std::make_unique<Engine>(store_.get(), EngineOptions{.log = {.unsaved_bytes = 100'000}});
    Add(Job("prints", [this](JobContext&) {
      Print(1, 1000);
      disk_.SetFull(true);
      Print(1001, 10'000);
      printed_ = true;
      while (!go_on_) std::this_thread::yield();
      Print(10'001, 11'000);
    }));
    Add(Job("quick", [](JobContext&) { puts("quick"); }));
  }

  ~FullDiskTest() override {
    disk_.SetFull(false);
    go_on_ = true;
    engine_->Stop(absl::InfiniteDuration());
  }

  void Add(Job job) { EXPECT_TRUE(engine_->AddJob(std::move(job)).ok()); }

  static void Print(int from, int to) {
    for (int i = from; i <= to; ++i) printf("%d%s\n", i, std::string(90, '.').c_str());
  }

  absl::StatusOr<v1::Run> Create(const std::string& job) {
    v1::CreateRunRequest request;
    request.set_job(job);
    return engine_->CreateRun(request);
  }

  std::vector<v1::LogLine> ReadLog(const std::string& run) {
    v1::TailLogRequest request = testing::Follow();
    request.set_run(run);
    return RecordsOf(ReadToEnd(**engine_->TailLog(request)));
  }

  TemporaryDirectory directory_;
  FullDisk disk_;
  std::atomic<bool> printed_ = false;
  std::atomic<bool> go_on_ = false;
  std::unique_ptr<RocksDbStore> store_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Disks, FullDiskTest, ::testing::Bool(),
                         [](const auto& disk) { return disk.param ? "AdmitsIt" : "FailsToWrite"; });

TEST_P(FullDiskTest, ARunGoesOnAndItsGapIsExactOnceThereIsRoom) {
  const std::string run = Create("prints")->id();
  while (!printed_) std::this_thread::yield();
  while (engine_->CheckHealth().ok()) std::this_thread::yield();
  const absl::Status refusal = Create("quick").status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refusal.message()), HasSubstr(directory_.path()));
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("make room"));

  disk_.SetFull(false);
  while (!engine_->CheckHealth().ok()) std::this_thread::yield();
  EXPECT_TRUE(Create("quick").ok());
  go_on_ = true;
  int64_t next = 1;
  int64_t missing = 0;
  for (const v1::LogLine& line : ReadLog(run)) {
    if (line.has_gap()) {
      EXPECT_EQ(line.gap().first(), next);
      EXPECT_EQ(line.gap().reason(), v1::GAP_REASON_STORE_FULL);
      missing += line.gap().last() - line.gap().first() + 1;
    } else {
      EXPECT_EQ(line.sequence(), next);
    }
    if (line.has_text()) {
      EXPECT_EQ(atoi(line.text().c_str()), next);
    }
    next = line.sequence() + 1;
  }
  EXPECT_EQ(next, 11'002);
  EXPECT_GT(missing, 1000);
  EXPECT_LT(missing, 9800) << "what memory allows was kept";
}

TEST_P(FullDiskTest, WhatIsThereCanStillBeRead) {
  const std::string quick = Create("quick")->id();
  EXPECT_EQ(ReadLog(quick).size(), 2);
  Create("prints").IgnoreError();
  while (!printed_) std::this_thread::yield();
  EXPECT_EQ(ReadLog(quick).size(), 2);
}

TEST_P(FullDiskTest, WhatWasStoredIsThereAfterARestart) {
  const std::string run = Create("prints")->id();
  while (!printed_) std::this_thread::yield();
  while (engine_->CheckHealth().ok()) std::this_thread::yield();
  disk_.SetFull(false);
  go_on_ = true;
  const size_t records = ReadLog(run).size();
  engine_->Stop(absl::InfiniteDuration());
  engine_.reset();
  store_.reset();
  store_ = *RocksDbStore::Open({.directory = directory_.path()});
  engine_ = std::make_unique<Engine>(store_.get());
  ASSERT_TRUE(engine_->Recover().ok());
  EXPECT_EQ(ReadLog(run).size(), records);
}

}  // namespace
}  // namespace jobtail
