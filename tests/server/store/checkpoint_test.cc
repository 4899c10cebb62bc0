// Tests of copies of a store that is in use.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "server/store/journaled_store.h"
#include "server/store/memory_store.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string RunId(int number) {
  return absl::StrCat("019a7b3c-0000-7000-8000-00000000000", number);
}

class CheckpointTest : public ::testing::Test {
 protected:
  static std::unique_ptr<JournaledStore> Open(const std::string& directory) {
    // So that lines stay in the journal.
    auto store = JournaledStore::Open({.directory = directory, .sync_interval = absl::Hours(1)});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  void Put(const std::string& run) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    ASSERT_TRUE(store_->PutRun(put).ok());
  }

  static Batch MakeBatch(int64_t first, int64_t last) {
    std::string bytes;
    for (int64_t i = first; i <= last; ++i) {
      EncodeLine(i, i, testing::Out(absl::StrCat(i)), &bytes);
    }
    return {first, last, last, last, last, Share(bytes)};
  }

  void AppendEach(const std::string& run, int64_t first, int64_t last) {
    for (int64_t i = first; i <= last; ++i) {
      ASSERT_TRUE(store_->Append(run, {MakeBatch(i, i)}, /*sync=*/false).ok());
    }
  }

  // Reads the log from its first record on, without a hole; returns the last.
  static int64_t ReadAll(LogStore* store, const std::string& run) {
    const absl::StatusOr<LogExtent> extent = store->GetExtent(run);
    EXPECT_TRUE(extent.ok()) << extent.status();
    int64_t next = 1;
    while (next <= extent->last) {
      const auto batch = store->Read(run, next);
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || batch->first != next) return -1;
      next = batch->last + 1;
    }
    return next - 1;
  }

  testing::TemporaryDirectory home_;
  const std::string copy_ = home_.path() + "/copy";
  std::unique_ptr<JournaledStore> store_ = Open(home_.path() + "/data");
};

TEST_F(CheckpointTest, HasWhatIsInFilesInTheWriteAheadLogAndInTheJournal) {
  Put(RunId(1));
  AppendEach(RunId(1), 1, 100);
  ASSERT_TRUE(store_->database()->Flush().ok());
  ASSERT_TRUE(store_->Append(RunId(1), {MakeBatch(101, 5000)}, false).ok());
  AppendEach(RunId(1), 5001, 5003);
  ASSERT_TRUE(store_->Checkpoint(copy_).ok());
  EXPECT_EQ(ReadAll(Open(copy_).get(), RunId(1)), 5003);
}

TEST_F(CheckpointTest, IsForTheServersUserAloneAndOfItsFormat) {
  Put(RunId(1));
  ASSERT_TRUE(store_->database()->Flush().ok());
  ASSERT_TRUE(store_->Checkpoint(copy_).ok());
  struct stat info;
  ASSERT_EQ(stat(copy_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  for (const fs::directory_entry& file : fs::directory_iterator(copy_)) {
    ASSERT_EQ(stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0077, 0U) << file.path();
  }
  EXPECT_TRUE(fs::exists(copy_ + "/FORMAT"));
}

TEST_F(CheckpointTest, IsNotChangedByWhatComesLater) {
  Put(RunId(1));
  AppendEach(RunId(1), 1, 10);
  ASSERT_TRUE(store_->Checkpoint(copy_).ok());
  AppendEach(RunId(1), 11, 20);
  ASSERT_TRUE(store_->DeleteRun(RunId(1)).ok());
  ASSERT_TRUE(store_->database()->Flush().ok());
  store_.reset();
  fs::remove_all(home_.path() + "/data");
  EXPECT_EQ(ReadAll(Open(copy_).get(), RunId(1)), 10);
}

// Some write lines one by one, others full batches, and files come and go below.
TEST_F(CheckpointTest, OfABusyStoreHasEveryLogUpToSomeRecord) {
  constexpr int kRuns = 4;
  constexpr int kCopies = 5;
  std::vector<std::atomic<int64_t>> stored(kRuns);
  std::atomic<bool> done = false;
  std::vector<std::jthread> writers;
  for (int i = 0; i < kRuns; ++i) {
    Put(RunId(i));
    writers.emplace_back([this, i, &stored, &done] {
      const int64_t size = i % 2 == 0 ? 1 : 2000;
      for (int64_t first = 1; !done; first += size) {
        const Batch batch = MakeBatch(first, first + size - 1);
        ASSERT_TRUE(store_->Append(RunId(i), {batch}, false).ok());
        stored[i] = batch.last;
      }
    });
  }
  for (int copy = 0; copy < kCopies; ++copy) {
    if (copy == 2) {
      ASSERT_TRUE(store_->database()->Flush().ok());
    }
    const std::vector<int64_t> before(stored.begin(), stored.end());
    const std::string directory = absl::StrCat(copy_, copy);
    ASSERT_TRUE(store_->Checkpoint(directory).ok());
    const std::vector<int64_t> after(stored.begin(), stored.end());
    const auto opened = Open(directory);
    for (int i = 0; i < kRuns; ++i) {
      const int64_t last = ReadAll(opened.get(), RunId(i));
      EXPECT_GE(last, before[i]);
      EXPECT_LE(last, after[i] + 2000);
    }
  }
  done = true;
}

TEST_F(CheckpointTest, IsNotMadeWhereSomethingIs) {
  fs::create_directory(copy_);
  const absl::Status status = store_->Checkpoint(copy_);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr(copy_ + ": is there already"));
  EXPECT_TRUE(fs::is_empty(copy_));
}

TEST_F(CheckpointTest, IsNotMadeInNoDirectory) {
  const absl::Status status = store_->Checkpoint(home_.path() + "/none/copy");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no directory " + home_.path() + "/none"));
  EXPECT_EQ(store_->Checkpoint("").code(), absl::StatusCode::kNotFound);
}

TEST_F(CheckpointTest, OfAStoreInMemoryIsNone) {
  EXPECT_EQ(MemoryStore().Checkpoint(copy_).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace jobtail
