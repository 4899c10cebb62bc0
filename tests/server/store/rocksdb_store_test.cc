// Tests of the RocksDB store across restarts, modes and damage.

#include "server/store/rocksdb_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/store/log_store_conformance.h"
#include "tests/server/support/faulty_store.h"
#include "tests/server/support/stored_runs.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

std::unique_ptr<RocksDbStore> OpenStore(RocksDbOptions options) {
  auto store = RocksDbStore::Open(std::move(options));
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

struct Owned {
  explicit Owned(RocksDbOptions options) {
    options.directory = directory.path();
    store = OpenStore(options);
  }
  TemporaryDirectory directory;
  std::unique_ptr<RocksDbStore> store;
};

// A store that takes its directory away with it.
class StoreInDirectory : private Owned, public testing::FaultyStore {
 public:
  explicit StoreInDirectory(const RocksDbOptions& options = {})
      : Owned(options), FaultyStore(store.get()) {}
};

StoreUnderTest InMemoryTables() {
  return {[] { return std::make_unique<StoreInDirectory>(); }};
}

// So little memory that nearly everything is in files soon.
StoreUnderTest InFiles() {
  return {[] {
    return std::make_unique<StoreInDirectory>(
        RocksDbOptions{.directory = "", .cache_bytes = 64 << 10, .write_buffer_bytes = 64 << 10});
  }};
}

INSTANTIATE_TEST_SUITE_P(RocksDb, LogStoreConformance, ::testing::Values(InMemoryTables()));
INSTANTIATE_TEST_SUITE_P(RocksDbInFiles, LogStoreConformance, ::testing::Values(InFiles()));

class RocksDbStoreTest : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";

  RocksDbStoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    store_ = OpenStore(Options());
    ASSERT_NE(store_, nullptr);
  }

  RocksDbOptions Options() const { return {.directory = directory_.path()}; }

  void Put(const std::string& run) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    ASSERT_TRUE(store_->PutRun(put).ok());
  }

  // Batches of `size` bytes with a record each, at times 1, 2, 3 ...
  void Fill(const std::string& run, int64_t count, size_t size) {
    for (int64_t i = 1; i <= count; ++i) {
      ASSERT_TRUE(store_->Append(run, {Batch{i, i, i, i, i, Share(Bytes(i, size))}}, false).ok());
    }
  }

  static std::string Bytes(int64_t i, size_t size) {
    std::string bytes = absl::StrCat(i, " ");
    while (bytes.size() < size) bytes += static_cast<char>(bytes.size() * 7919 * i >> 5);
    return bytes;
  }

  void Flush() { ASSERT_TRUE(store_->Flush().ok()); }

  TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_;
};

TEST_F(RocksDbStoreTest, KeepsRunsAndLogsAcrossARestart) {
  Put(kRun);
  Put(kOtherRun);
  Fill(kRun, 100, 1000);
  for (int restart = 0; restart < 3; ++restart) {
    Reopen();
    EXPECT_EQ(testing::LoadRuns(*store_)->size(), 2);
    EXPECT_EQ(store_->GetExtent(kRun)->last, 100 + restart);
    EXPECT_EQ(store_->GetExtent(kOtherRun)->last, 0);
    EXPECT_EQ(*store_->Read(kRun, 50)->bytes, Bytes(50, 1000));
    const int64_t next = 101 + restart;
    EXPECT_FALSE(
        store_->Append(kRun, {Batch{next + 1, next + 1, 0, 0, 0, Share(Bytes(next, 10))}}, true)
            .ok());
    EXPECT_TRUE(
        store_->Append(kRun, {Batch{next, next, 0, 0, 0, Share(Bytes(next, 10))}}, true).ok());
  }
}

TEST_F(RocksDbStoreTest, TakesAndKeepsTheSameInEveryMode) {
  for (const SyncMode sync : {SyncMode::kNone, SyncMode::kInterval, SyncMode::kAlways}) {
    RocksDbOptions options = Options();
    options.sync = sync;
    options.sync_interval = absl::Milliseconds(1);
    store_.reset();
    store_ = OpenStore(options);
    Put(kRun);
    Fill(kRun, 20, 1000);
    Reopen();
    EXPECT_EQ(store_->GetExtent(kRun)->last, 20);
    ASSERT_TRUE(store_->DeleteRun(kRun).ok());
  }
}

// Whatever the umask, and in a directory that others may enter.
TEST_F(RocksDbStoreTest, MakesFilesForNobodyElse) {
  store_.reset();
  fs::remove_all(directory_.path());
  fs::create_directory(directory_.path());
  chmod(directory_.path().c_str(), 0755);
  const mode_t before = umask(0);
  Reopen();
  Put(kRun);
  Fill(kRun, 20, 1000);
  Flush();
  Reopen();  // which renames the files that it has its own log in
  umask(before);
  int files = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(directory_.path())) {
    struct stat info;
    ASSERT_EQ(stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0077, 0U) << file.path();
    ++files;
  }
  EXPECT_GE(files, 6);
}

TEST_F(RocksDbStoreTest, TakesNoIdThatIsNoUuid) {
  storage::v1::StoredRun run;
  run.mutable_run()->set_id("run");
  EXPECT_EQ(store_->PutRun(run).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->Read("run", 1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RocksDbStoreTest, SaysThatAnotherServerHasItOpen) {
  const auto second = RocksDbStore::Open(Options());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(directory_.path()));
}

// Nothing is copied: what a reader holds is a block of the cache, and stays when the log has gone.
TEST_F(RocksDbStoreTest, WhatWasReadOutlivesTheLogAndTheStore) {
  Put(kRun);
  Fill(kRun, 3, 64 << 10);
  Flush();
  const SharedBytes bytes = store_->Read(kRun, 2)->bytes;
  ASSERT_TRUE(store_->DeleteRun(kRun).ok());
  store_.reset();
  EXPECT_EQ(*bytes, Bytes(2, 64 << 10));
}

// Counts what is read of the files for one look-up in a large log, with nothing in the cache.
TEST_F(RocksDbStoreTest, LooksUpTimesAndSizesByAnIndexInsteadOfScanning) {
  constexpr int64_t kBatches = 20'000;
  Put(kRun);
  Fill(kRun, kBatches, 2000);
  Flush();
  rocksdb::SetPerfLevel(rocksdb::kEnableCount);
  for (const int64_t time : {int64_t{1}, int64_t{777}, kBatches / 2, kBatches}) {
    SCOPED_TRACE(time);
    Reopen();
    rocksdb::get_perf_context()->Reset();
    EXPECT_EQ(store_->FindTime(kRun, time)->first, time);
    EXPECT_EQ(*store_->FindBytes(kRun, (kBatches - time + 1) * 2000), time);
    EXPECT_EQ(store_->GetExtent(kRun)->last, kBatches);
    EXPECT_EQ(store_->Read(kRun, time)->first, time);
    EXPECT_LT(rocksdb::get_perf_context()->block_read_count, 100);
    EXPECT_LT(rocksdb::get_perf_context()->block_read_byte, 1 << 20);
  }
  rocksdb::SetPerfLevel(rocksdb::kDisable);
}

// Bytes of files with records, the write-ahead log not counted.
uint64_t DiskBytes(const std::string& directory) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    std::error_code error;  // it may have just gone
    const uint64_t size = file.path().extension() == ".sst" ? file.file_size(error) : 0;
    if (!error) bytes += size;
  }
  return bytes;
}

class Space : public RocksDbStoreTest {
 protected:
  Space() {
    store_.reset();
    RocksDbOptions options = Options();
    options.write_buffer_bytes = 1 << 20;
    options.reclaim_bytes = 1;
    store_ = OpenStore(options);
  }

  // Text that does not shrink.
  void FillWithNoise(const std::string& run, int64_t count) {
    std::mt19937_64 random(7);
    for (int64_t i = 1; i <= count; ++i) {
      std::string bytes(64 << 10, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      ASSERT_TRUE(store_->Append(run, {Batch{i, i, i, i, i, Share(bytes)}}, false).ok());
    }
    Flush();
  }

  // Waits until no more than so much is left; the test's own time limit ends it otherwise.
  void AwaitDiskBytes(uint64_t at_most) {
    while (DiskBytes(directory_.path()) > at_most) std::this_thread::yield();
  }
};

TEST_F(Space, ComesBackWhenARunIsDeleted) {
  Put(kRun);
  Put(kOtherRun);
  FillWithNoise(kRun, 600);
  FillWithNoise(kOtherRun, 100);
  EXPECT_GT(DiskBytes(directory_.path()), 40 << 20);
  ASSERT_TRUE(store_->DeleteRun(kRun).ok());
  AwaitDiskBytes(8 << 20);
  EXPECT_GT(DiskBytes(directory_.path()), 6 << 20) << "that of the other run";
  EXPECT_EQ(store_->Read(kOtherRun, 100)->first, 100);
}

TEST_F(Space, ComesBackWhenALogIsTrimmed) {
  Put(kRun);
  FillWithNoise(kRun, 600);
  ASSERT_TRUE(store_->Trim(kRun, 501).ok());
  AwaitDiskBytes(10 << 20);
  EXPECT_EQ(store_->GetExtent(kRun)->first, 501);
  EXPECT_EQ(store_->Read(kRun, 600)->first, 600);
}

}  // namespace
}  // namespace jobtail
