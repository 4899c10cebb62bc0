// Write-ahead logs that are damaged in every place: the store opens, and has what is sound.

#include "server/store/rocksdb_wal_salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/log/record.h"
#include "server/store/rocksdb_store.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;

using testing::TemporaryDirectory;

constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
constexpr int64_t kBatches = 120;

std::string Content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void SetContent(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::vector<fs::path> FilesIn(const fs::path& directory, const std::string& extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(directory, error)) {
    if (extension.empty() || file.path().extension() == extension) files.push_back(file.path());
  }
  std::ranges::sort(files);
  return files;
}

// Batches of many sizes, none of which can be compressed: records of one piece and of several.
std::string TextOf(int64_t batch) {
  std::mt19937_64 random(static_cast<uint64_t>(batch));
  std::string text(batch % 7 == 0 ? 70'000 : 40 + batch * 13, ' ');
  std::ranges::generate(text, [&] { return static_cast<char>('!' + random() % 90); });
  return text;
}

absl::StatusOr<std::unique_ptr<RocksDbStore>> Open(const std::string& directory) {
  return RocksDbStore::Open({.directory = directory, .sync = SyncMode::kNone});
}

absl::Status Append(RocksDbStore* store, int64_t batch) {
  std::string bytes;
  EncodeLine(batch, batch, testing::Out(TextOf(batch)), &bytes);
  return store->Append(kRun, {Batch{batch, batch, batch, batch, batch, Share(std::move(bytes))}},
                       /*sync=*/false);
}

class Salvage : public ::testing::Test {
 protected:
  // A directory with one log that is in the write-ahead log alone.
  static void SetUpTestSuite() {
    original_ = new TemporaryDirectory;
    auto store = Open(original_->path());
    ASSERT_TRUE(store.ok()) << store.status();
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(kRun);
    ASSERT_TRUE((*store)->PutRun(put).ok());
    ASSERT_TRUE((*store)->Flush().ok());
    for (int64_t i = 1; i <= kBatches; ++i) ASSERT_TRUE(Append(store->get(), i).ok());
  }
  static void TearDownTestSuite() { delete original_; }

  Salvage() {
    fs::copy(original_->path(), directory(), fs::copy_options::recursive);
    wal_ = FilesIn(directory(), ".log").back();
    content_ = Content(wal_);
  }

  std::string directory() const { return temporary_.path() + "/data"; }

  // Opens the store and reads all there is. Returns the batches that are missing.
  std::set<int64_t> OpenAndRead() {
    std::set<int64_t> missing;
    for (int64_t i = 1; i <= kBatches; ++i) missing.insert(i);
    auto store = Open(directory());
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return missing;
    const int64_t last = (*store)->GetExtent(kRun)->last;
    for (int64_t next = 1; next <= last;) {
      const auto batch = (*store)->Read(kRun, next);
      if (!batch.ok()) {
        ADD_FAILURE() << batch.status();
        break;
      }
      EXPECT_EQ(testing::Decode(*batch->bytes).at(0).text(), TextOf(batch->first));
      missing.erase(batch->first);
      next = batch->last + 1;
    }
    EXPECT_TRUE(Append(store->get(), last + 1).ok());
    return missing;
  }

  static TemporaryDirectory* original_;
  TemporaryDirectory temporary_;
  fs::path wal_;
  std::string content_;
};

TemporaryDirectory* Salvage::original_ = nullptr;

TEST_F(Salvage, ReadsAndWritesAsRocksDbDoes) {
  const WalScan scan(content_);
  EXPECT_TRUE(scan.is_sound());
  EXPECT_EQ(scan.records(), kBatches);
  EXPECT_EQ(scan.Rewritten(), content_);
}

TEST_F(Salvage, LeavesWhatIsSoundAsItIs) {
  struct stat before;
  ASSERT_EQ(stat(wal_.c_str(), &before), 0);
  EXPECT_TRUE(SalvageWals(directory(), ReadErrors::kAreDamage).ok());
  struct stat after;
  ASSERT_EQ(stat(wal_.c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_TRUE(OpenAndRead().empty());
  EXPECT_FALSE(fs::exists(directory() + "/damaged"));
}

// A page of zeroes, as a disk that has lost it gives.
TEST_F(Salvage, AfterTheLossOfAnyPageHasWhatIsBeforeAndAfter) {
  constexpr size_t kPage = 4096;
  for (size_t at = 0; at + kPage < content_.size(); at += kPage) {
    SCOPED_TRACE(at);
    std::string damaged = content_;
    damaged.replace(at, kPage, kPage, '\0');
    const WalScan scan(damaged);
    EXPECT_FALSE(scan.is_sound());
    EXPECT_LE(scan.lost_bytes(), 4 * (32 << 10) + 70'000);
    if (at % (16 * kPage) != 0) continue;  // a store for some of them
    fs::remove_all(directory());
    fs::copy(original_->path(), directory(), fs::copy_options::recursive);
    SetContent(wal_, damaged);
    const std::set<int64_t> missing = OpenAndRead();
    EXPECT_GE(missing.size(), 1);
    EXPECT_LE(missing.size(), kBatches - static_cast<int64_t>(scan.records()));
    const std::vector<fs::path> kept = FilesIn(directory() + "/damaged", "");
    if (scan.is_torn()) {
      EXPECT_THAT(kept, ::testing::IsEmpty());
    } else {
      ASSERT_THAT(kept, ::testing::SizeIs(1));
      EXPECT_EQ(Content(kept.front()), damaged);
    }
  }
}

// The file that keeps others out cannot be opened at first, as where descriptors are short.
class LockThatOpensTheSecondTime : public rocksdb::EnvWrapper {
 public:
  LockThatOpensTheSecondTime() : EnvWrapper(rocksdb::Env::Default()) {}
  const char* Name() const override { return "LockThatOpensTheSecondTime"; }

  rocksdb::Status LockFile(const std::string& path, rocksdb::FileLock** lock) override {
    if (++attempts_ > 1) return EnvWrapper::LockFile(path, lock);
    return rocksdb::Status::IOError("while open a file for lock: " + path, "Too many open files");
  }

 private:
  int attempts_ = 0;
};

TEST_F(Salvage, IsNotLeftOutWhereTheLockCannotBeOpened) {
  std::string damaged = content_;
  damaged.replace(2 * (32 << 10), 4096, 4096, '\0');
  ASSERT_FALSE(WalScan(damaged).is_torn());
  SetContent(wal_, damaged);
  LockThatOpensTheSecondTime env;
  const auto store = RocksDbStore::Open({.directory = directory(), .env = &env});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(store.status().message()), ::testing::HasSubstr("Too many open files"));
  EXPECT_EQ(std::ssize(OpenAndRead()), kBatches - static_cast<int64_t>(WalScan(damaged).records()));
}

TEST_F(Salvage, OfALogThatWasTornOffAnywhereHasWhatIsBefore) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    const size_t size = random() % content_.size();
    SCOPED_TRACE(size);
    const std::string torn = content_.substr(0, size);
    const WalScan scan(torn);
    EXPECT_TRUE(scan.is_sound() || scan.is_torn());
    EXPECT_EQ(scan.Rewritten(), content_.substr(0, scan.is_sound() ? size : scan.lost_begin()));
    if (round % 20 != 0) continue;
    fs::remove_all(directory());
    fs::copy(original_->path(), directory(), fs::copy_options::recursive);
    SetContent(wal_, torn);
    const std::set<int64_t> missing = OpenAndRead();
    EXPECT_EQ(std::ssize(missing), kBatches - static_cast<int64_t>(scan.records()));
    EXPECT_FALSE(fs::exists(directory() + "/damaged"));
  }
}

// As after a loss of power: the file is as long as it should be, and has something else at its end.
TEST_F(Salvage, OfALogWhoseEndIsGarbageHasWhatIsBefore) {
  std::mt19937_64 random(6);
  for (const bool zeroes : {true, false}) {
    fs::remove_all(directory());
    fs::copy(original_->path(), directory(), fs::copy_options::recursive);
    std::string torn = content_;
    const size_t from = content_.size() - 100'000;
    std::generate(torn.begin() + static_cast<std::ptrdiff_t>(from), torn.end(),
                  [&] { return zeroes ? '\0' : static_cast<char>(random()); });
    SetContent(wal_, torn);
    const WalScan scan(torn);
    EXPECT_TRUE(scan.is_torn());
    const std::set<int64_t> missing = OpenAndRead();
    EXPECT_EQ(std::ssize(missing), kBatches - static_cast<int64_t>(scan.records()));
  }
}

// As after a loss of power where the file system had given the file its blocks, but not what was
// written to them: what lay there before is a part of another log, and sound.
TEST_F(Salvage, OfALogWithBlocksOfAnOlderOneTakesNothingOfThat) {
  constexpr size_t kBlock = 32 << 10;
  for (const size_t from : {7 * kBlock, 15 * kBlock}) {
    for (const size_t to : {kBlock, from + 5 * kBlock}) {
      SCOPED_TRACE(to);
      fs::remove_all(directory());
      fs::copy(original_->path(), directory(), fs::copy_options::recursive);
      std::string mixed = content_;
      mixed.replace(to, 4 * kBlock, content_, from, 4 * kBlock);
      SetContent(wal_, mixed);
      const WalScan scan(mixed);
      EXPECT_FALSE(scan.is_sound());
      const std::set<int64_t> missing = OpenAndRead();
      EXPECT_EQ(std::ssize(missing), kBatches - static_cast<int64_t>(scan.records()));
    }
  }
}

TEST_F(Salvage, OfALogThatIsOlderThanTheOneBeforeTakesNothing) {
  const WalScan scan(content_);
  EXPECT_GT(scan.next(), static_cast<uint64_t>(kBatches));
  EXPECT_TRUE(WalScan(content_, 1).is_sound());
  EXPECT_EQ(WalScan(content_, scan.next()).records(), 0);
}

TEST_F(Salvage, OfAnyBitsThatChangedTakesNothingThatIsNotSound) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string damaged = content_;
    const size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    const WalScan scan(damaged);
    EXPECT_FALSE(scan.is_sound()) << at;
    EXPECT_TRUE(WalScan(scan.Rewritten()).is_sound());
    EXPECT_EQ(WalScan(scan.Rewritten()).records(), scan.records());
  }
}

}  // namespace
}  // namespace jobtail
