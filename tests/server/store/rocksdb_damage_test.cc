// Files of a store that are damaged: what is sound can be read, and what is not is known.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/log/record.h"
#include "server/store/rocksdb_store.h"
#include "server/store/rocksdb_tuning.h"
#include "server/store/store_keys.h"
#include "tests/server/support/raw_database.h"
#include "tests/server/support/records.h"
#include "tests/server/support/stored_runs.h"
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

  // Replaces the entry in the index, whatever the database thinks of it.
  void PutIndexEntry(const IndexEntry& entry) {
    store_.reset();
    testing::PutIndexValues(directory_.path(),
                            {{BatchKey(*RunKey(kRun), entry.first), EncodeIndexEntry(entry)}});
    Open();
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

// Compaction meets it and fails: that must hold up nobody, however many files come to wait for it.
TEST_F(Damage, HoldsUpNoWriting) {
  Fill(kRun, 1, kBatches);
  Fill(kOtherRun, 1, kBatches);
  Flush();
  const std::string file = FileOf(kBatchesFamily);
  store_.reset();
  Overwrite(file, 0.25, 100);
  Open();
  // Of both runs, so that they are to be compacted with it.
  constexpr int64_t kLast = kBatches + kLevel0Stop + 20;
  for (int64_t i = kBatches + 1; i <= kLast; ++i) {
    Fill(kRun, i, i);
    Fill(kOtherRun, i, i);
    Flush();
  }
  ExpectWhole(kOtherRun, kLast);
  EXPECT_TRUE(store_->CheckHealth().ok()) << store_->CheckHealth();
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

// Small batches, so many that their index has several blocks, in one file.
class DamageOfPartOfTheIndex : public Damage {
 protected:
  static constexpr int64_t kMany = 1000;

  DamageOfPartOfTheIndex() {
    Fill(kRun, 1, 0);
    for (int64_t i = 1; i <= kMany; ++i) AppendOne(i);
    Flush();
  }

  static std::string Record(int64_t sequence) {
    std::string bytes;
    EncodeLine(sequence, 1'000'000, testing::Out("always the same"), &bytes);
    return bytes;
  }

  void AppendOne(int64_t i) {
    ASSERT_TRUE(store_->Append(kRun, {Batch{i, i, i, i, i, Share(Record(i))}}, false).ok());
  }

  // Bytes of records `first` to `last`.
  static int64_t BytesOf(int64_t first, int64_t last) {
    int64_t bytes = 0;
    for (int64_t i = first; i <= last; ++i) bytes += static_cast<int64_t>(Record(i).size());
    return bytes;
  }

  void DamageIndex(double where, size_t bytes = 100) {
    const std::string file = FileOf(kIndexFamily);
    store_.reset();
    Overwrite(file, where, bytes);
    Open();
  }
};

TEST_F(DamageOfPartOfTheIndex, TrimsNothingThatShouldBeKept) {
  for (const double where : {0.02, 0.3, 0.5, 0.7}) {
    DamageIndex(where);
    for (const int64_t first : {1, 2, 250, 500, 501, 999, 1000}) {
      EXPECT_EQ(*store_->FindBytes(kRun, BytesOf(first, kMany)), first) << where;
    }
    EXPECT_EQ(*store_->FindBytes(kRun, 0), kMany);
    EXPECT_EQ(store_->GetExtent(kRun)->bytes, BytesOf(1, kMany)) << where;
  }
}

// A log that goes on behind damage goes on counting.
TEST_F(DamageOfPartOfTheIndex, GoesOnWhereTheLogWasInBytesToo) {
  for (const double where : {0.8, 0.85, 0.9, 0.95}) DamageIndex(where, 40);
  EXPECT_EQ(store_->GetExtent(kRun)->bytes, BytesOf(1, kMany));
  const int64_t more = kMany + 500;
  for (int64_t i = kMany + 1; i <= more; ++i) AppendOne(i);
  EXPECT_EQ(store_->GetExtent(kRun)->bytes, BytesOf(1, more));
  for (const int64_t first : {1, 2, 500, 999, 1000, 1001, 1100, 1500}) {
    EXPECT_EQ(*store_->FindBytes(kRun, BytesOf(first, more)), first);
  }
  ASSERT_TRUE(store_->Trim(kRun, 900).ok());
  EXPECT_EQ(store_->GetExtent(kRun)->first, 900);
  EXPECT_EQ(store_->GetExtent(kRun)->last, more);
  EXPECT_EQ(store_->Read(kRun, 1)->first, 900);
}

// As servers before this one went on behind damage: from 0.
TEST_F(DamageOfPartOfTheIndex, TrimsNothingThatShouldBeKeptWhereOffsetsBeginAnew) {
  int64_t offset = 0;
  std::map<std::string, std::string> values;
  for (int64_t i = kMany + 1; i <= kMany + 400; ++i) {
    AppendOne(i);
    const IndexEntry entry = MakeIndexEntry({i, i, i, i, i, Share(Record(i))}, offset);
    offset = entry.end();
    values[BatchKey(*RunKey(kRun), i)] = EncodeIndexEntry(entry);
  }
  store_.reset();
  testing::PutIndexValues(directory_.path(), values);
  Open();
  for (const int64_t first : {1, 300, 1000, 1001, 1100, 1399, 1400}) {
    const auto found = store_->FindBytes(kRun, BytesOf(first, kMany + 400));
    ASSERT_TRUE(found.ok());
    EXPECT_LE(*found, first);
  }
  EXPECT_GE(store_->GetExtent(kRun)->bytes, 0);
}

// Numbers that no batch can have, with all checksums right.
TEST_F(DamageOfPartOfTheIndex, BelievesNoEntryThatItsBatchContradicts) {
  for (const int64_t last :
       {INT64_MAX - 1, int64_t{1} << 40, kMany + 1000, int64_t{-1}, int64_t{3}}) {
    IndexEntry entry =
        MakeIndexEntry({kMany, last, 1, 1, 1, Share(Record(kMany))}, BytesOf(1, kMany - 1));
    PutIndexEntry(entry);
    EXPECT_EQ(store_->GetExtent(kRun)->last, kMany) << last;
    EXPECT_EQ(store_->Read(kRun, kMany + 1).status().code(), absl::StatusCode::kNotFound) << last;
  }
  IndexEntry entry = MakeIndexEntry({kMany, kMany, 1, 1, 1, Share(Record(kMany))}, INT64_MAX / 2);
  PutIndexEntry(entry);
  EXPECT_LE(*store_->FindBytes(kRun, BytesOf(500, kMany)), 500) << "an offset out of the blue";
}

// A batch in the middle of which nothing can be made sense, and no index to say which it is.
TEST_F(Damage, OfTheIndexAndABatchCostsThatBatchAndNoOther) {
  Fill(kRun, 1, kBatches);
  const auto put = store_->db()->Put({}, store_->db()->DefaultColumnFamily(),
                                     BatchKey(*RunKey(kRun), 20), "no batch");
  ASSERT_TRUE(put.ok());
  Flush();
  const std::string file = FileOf(kIndexFamily);
  store_.reset();
  fs::resize_file(file, fs::file_size(file) / 2);
  Open();
  EXPECT_EQ(store_->GetExtent(kRun)->last, kBatches);
  EXPECT_EQ(store_->Read(kRun, 19)->first, 19);
  EXPECT_EQ(store_->Read(kRun, 20)->first, 21);
  EXPECT_EQ(store_->Read(kRun, 21)->first, 21);
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
  const auto runs = testing::LoadRuns(*store_);
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
