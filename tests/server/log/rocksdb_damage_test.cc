// Files of a store that are damaged: what is sound can be read, and what is not is known.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/log/record.h"
#include "server/log/rocksdb_options.h"
#include "server/log/rocksdb_store.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::TemporaryDirectory;

class Damage : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";
  static constexpr int64_t kBatches = 50;

  Damage() { Open(); }

  absl::Status TryToOpen() {
    auto store = RocksDbStore::Open({.directory = directory_.path()});
    if (store.ok()) store_ = *std::move(store);
    return store.status();
  }

  void Open() {
    const absl::Status opened = TryToOpen();
    ASSERT_TRUE(opened.ok()) << opened;
  }

  void Fill(const std::string& run, int64_t first, int64_t last) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    put.mutable_run()->set_job("job");
    put.mutable_run()->set_state(v1::RUN_STATE_SUCCEEDED);
    ASSERT_TRUE(store_->PutRun(put).ok());
    std::mt19937_64 random(7);
    for (int64_t i = first; i <= last; ++i) {
      std::string text(10'000, ' ');
      std::ranges::generate(text, [&] { return static_cast<char>(random()); });
      std::string bytes;
      EncodeLine(i, i, testing::Out(text), &bytes);
      ASSERT_TRUE(store_->Append(run, {Batch{i, i, i, i, i, Share(bytes)}}, true).ok());
    }
  }

  // The run's batches can all be read.
  void ExpectWhole(const std::string& run, int64_t last = kBatches) {
    EXPECT_EQ(store_->GetExtent(run)->last, last);
    for (int64_t i = 1; i <= last; ++i) {
      const auto batch = store_->Read(run, i);
      ASSERT_TRUE(batch.ok()) << batch.status();
      EXPECT_EQ(batch->first, i);
      EXPECT_EQ(testing::Decode(*batch->bytes).at(0).sequence(), i);
    }
  }

  // Has what was written in a file for each column family.
  void Flush() { ASSERT_TRUE(store_->Flush().ok()); }

  std::string FileOf(ColumnFamily family) {
    std::vector<rocksdb::LiveFileMetaData> files;
    store_->db()->GetLiveFilesMetaData(&files);
    for (const auto& file : files) {
      if (file.column_family_name == kFamilyNames[family]) return directory_.path() + file.name;
    }
    ADD_FAILURE() << "no file of " << kFamilyNames[family];
    return "";
  }

  std::vector<std::string> Files(const std::string& extension) {
    std::vector<std::string> files;
    for (const auto& file : fs::directory_iterator(directory_.path())) {
      if (file.path().extension() == extension) files.push_back(file.path());
    }
    std::ranges::sort(files);
    return files;
  }

  static void Overwrite(const std::string& file, double where, size_t bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<int64_t>(static_cast<double>(fs::file_size(file)) * where));
    stream << std::string(bytes, '\x55');
  }

  TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_;
};

TEST_F(Damage, InABatchCostsThatBatchAndNoOther) {
  Fill(kRun, 1, kBatches);
  Fill(kOtherRun, 1, kBatches);
  Flush();
  const std::string file = FileOf(kBatchesFamily);
  store_.reset();
  Overwrite(file, 0.25, 100);  // in the first run's half
  Open();
  ExpectWhole(kOtherRun);
  int64_t next = 1;
  std::vector<int64_t> missing;
  while (next <= kBatches) {
    const auto batch = store_->Read(kRun, next);
    ASSERT_TRUE(batch.ok()) << batch.status();
    for (; next < batch->first; ++next) missing.push_back(next);
    next = batch->last + 1;
  }
  EXPECT_GE(missing.size(), 1);
  EXPECT_LE(missing.size(), 3) << "what shares a block with it";
  EXPECT_EQ(store_->GetExtent(kRun)->last, kBatches);
}

TEST_F(Damage, OfTheIndexCostsNothingButTime) {
  Fill(kRun, 1, kBatches);
  Fill(kOtherRun, 1, kBatches);
  Flush();
  const std::string file = FileOf(kIndexFamily);
  store_.reset();
  fs::resize_file(file, fs::file_size(file) / 2);
  Open();
  ExpectWhole(kRun);
  ExpectWhole(kOtherRun);
  EXPECT_EQ(store_->FindTime(kRun, 30)->first, 30);
}

// Batches that are compressed, of many records each.
TEST_F(Damage, OfTheIndexCostsNothingWhereBatchesAreCompressed) {
  Fill(kRun, 1, 0);
  constexpr int64_t kEach = 100;
  const std::string line(80, 'x');
  for (int64_t first = 1; first <= 3 * kEach; first += kEach) {
    std::string bytes;
    for (int64_t i = first; i < first + kEach; ++i) {
      EncodeLine(i, i, testing::Out(line), &bytes);
    }
    const int64_t last = first + kEach - 1;
    ASSERT_TRUE(
        store_->Append(kRun, {Batch{first, last, last, last, last, Share(bytes)}}, true).ok());
  }
  Flush();
  const std::string file = FileOf(kIndexFamily);
  store_.reset();
  fs::resize_file(file, fs::file_size(file) / 2);
  Open();
  EXPECT_EQ(store_->GetExtent(kRun)->last, 3 * kEach);
  for (int64_t sequence = 1; sequence <= 3 * kEach; ++sequence) {
    const auto batch = store_->Read(kRun, sequence);
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->first, (sequence - 1) / kEach * kEach + 1);
    EXPECT_EQ(batch->last, batch->first + kEach - 1);
  }
  EXPECT_EQ(store_->FindTime(kRun, 150)->first, 101);
  std::string next;
  EncodeLine(301, 301, testing::Out("next"), &next);
  EXPECT_TRUE(store_->Append(kRun, {Batch{301, 301, 301, 301, 301, Share(next)}}, true).ok());
}

TEST_F(Damage, OfTheListOfRunsLeavesTheLogsAndTheirIds) {
  Fill(kRun, 1, 3);
  Fill(kOtherRun, 1, 3);
  Flush();
  const std::string file = FileOf(kRunsFamily);
  store_.reset();
  Overwrite(file, 0, 40);
  Open();
  const auto runs = store_->LoadRuns();
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_EQ(runs->size(), 2);
  EXPECT_EQ(runs->at(0).run().id(), kRun);
  EXPECT_EQ(runs->at(1).run().id(), kOtherRun);
}

TEST_F(Damage, AFileThatWasCutOffCostsWhatIsInItAndNoOther) {
  Fill(kRun, 1, kBatches);
  Flush();
  const std::string file = FileOf(kBatchesFamily);
  Fill(kOtherRun, 1, kBatches);
  Flush();
  store_.reset();
  fs::resize_file(file, fs::file_size(file) / 2);
  Open();
  ExpectWhole(kOtherRun);
  EXPECT_EQ(store_->Read(kRun, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->GetExtent(kRun)->last, kBatches) << "that there was something is known";
  Fill(kOtherRun, kBatches + 1, kBatches + 10);
  ExpectWhole(kOtherRun, kBatches + 10);
}

TEST_F(Damage, AFileThatIsGoneCostsWhatWasInItAndNoOther) {
  Fill(kRun, 1, kBatches);
  Flush();
  const std::string file = FileOf(kBatchesFamily);
  Fill(kOtherRun, 1, kBatches);
  Flush();
  store_.reset();
  fs::remove(file);
  Open();
  ExpectWhole(kOtherRun);
  EXPECT_EQ(store_->Read(kRun, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->GetExtent(kRun)->last, kBatches) << "that there was something is known";
}

// What was written last is in the write-ahead log alone.
TEST_F(Damage, OfTheWriteAheadLogCostsWhatWasInThatPlace) {
  Fill(kOtherRun, 1, 10);
  Fill(kRun, 1, kBatches);
  store_.reset();
  const std::vector<std::string> logs = Files(".log");
  ASSERT_FALSE(logs.empty());
  Overwrite(logs.back(), 0.5, 100);
  Open();
  ExpectWhole(kOtherRun, 10);
  EXPECT_EQ(store_->GetExtent(kRun)->last, kBatches);
  int64_t missing = 0;
  for (int64_t next = 1; next <= kBatches;) {
    const auto batch = store_->Read(kRun, next);
    ASSERT_TRUE(batch.ok()) << batch.status();
    missing += batch->first - next;
    next = batch->last + 1;
  }
  EXPECT_GE(missing, 1);
  EXPECT_LE(missing, 10);
}

TEST_F(Damage, AWriteAheadLogThatWasCutOffEndsTheLogThere) {
  Fill(kRun, 1, kBatches);
  store_.reset();
  const std::string log = Files(".log").back();
  fs::resize_file(log, fs::file_size(log) / 2);
  Open();
  const int64_t last = store_->GetExtent(kRun)->last;
  EXPECT_GT(last, 10);
  EXPECT_LT(last, 40);
  ExpectWhole(kRun, last);
  Fill(kRun, last + 1, last + 5);
  ExpectWhole(kRun, last + 5);
}

// RocksDB would make a new database, and delete the files of the old one.
TEST_F(Damage, ALostNameOfTheNewestDescriptionIsSaidAndDestroysNothing) {
  Fill(kRun, 1, kBatches);
  Flush();
  store_.reset();
  const std::string current = directory_.path() + "/CURRENT";
  fs::rename(current, current + ".away");
  const absl::Status refusal = TryToOpen();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("CURRENT"));
  fs::rename(current + ".away", current);
  Open();
  ExpectWhole(kRun);
}

}  // namespace
}  // namespace jobtail
