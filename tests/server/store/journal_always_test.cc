// Tests of the journal where each write is synced: whom that holds up, and what the disk has.

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "server/log/record.h"
#include "server/store/journaled_store.h"
#include "tests/server/support/records.h"
#include "tests/server/support/sync_disk.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;
using testing::SyncDisk;
using testing::TemporaryDirectory;

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr size_t kLarge = 64 << 10;

class JournalAlways : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";

  JournalAlways() {
    store_ = Open(directory_.path());
    Put(kRun);
    Put(kOtherRun);
  }
  ~JournalAlways() override { disk_.SetStalled(false); }

  // Each sync of the journal that succeeds leaves a copy of what the disk has of it from then on.
  int SyncJournal(const std::string& directory, int fd) {
    if (fails_) {
      errno = EIO;
      return -1;
    }
    ++syncs_;
    const fs::path on_disk = directory + "/journal-on-disk";
    fs::copy_file(directory + "/journal", directory + "/copy",
                  fs::copy_options::overwrite_existing);
    fs::rename(directory + "/copy", on_disk);
    return fdatasync(fd);
  }

  std::unique_ptr<JournaledStore> Open(const std::string& directory,
                                       Clock* clock = Clock::System()) {
    auto store = JournaledStore::Open(
        {.directory = directory, .sync = SyncMode::kAlways, .env = disk_.env(), .clock = clock},
        {.bytes = 64 << 10,
         .sync_file = [this, directory](int fd) { return SyncJournal(directory, fd); }});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  void Put(const std::string& run) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    ASSERT_TRUE(store_->PutRun(put).ok());
  }

  absl::Status Append(const std::string& run, int64_t number, size_t filling = 0) {
    std::string bytes;
    EncodeLine(number, number, testing::Out(std::string(filling, '.')), &bytes);
    return store_->Append(run, {Batch{number, number, number, number, number, Share(bytes)}},
                          /*sync=*/false);
  }

  void AppendEach(const std::string& run, int64_t first, int64_t last) {
    for (int64_t i = first; i <= last; ++i) ASSERT_TRUE(Append(run, i).ok());
  }

  static void ExpectRecords(JournaledStore* store, const std::string& run, int64_t last) {
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->GetExtent(run)->last, last);
    int64_t next = 1;
    while (next <= last) {
      const auto batch = store->Read(run, next);
      ASSERT_TRUE(batch.ok()) << batch.status() << " at " << next;
      for (const v1::LogLine& line : testing::Decode(*batch->bytes)) {
        ASSERT_EQ(line.sequence(), next++);
      }
    }
    EXPECT_EQ(next, last + 1);
  }

  int64_t LastInDatabase(const std::string& run) {
    return store_->database()->GetExtent(run)->last;
  }

  // What a machine that loses power now leaves of the journal, with all of the database.
  void ExpectRecordsAfterPowerCut(const std::string& run, int64_t last) {
    const TemporaryDirectory left;
    // First the journal: what is moved meanwhile is in both.
    fs::copy_file(directory_.path() + "/journal-on-disk", left.path() + "/on-disk");
    for (const auto& file : fs::directory_iterator(directory_.path())) {
      std::error_code error;  // of one that the database has just deleted
      fs::copy_file(file.path(), fs::path(left.path()) / file.path().filename(), error);
    }
    fs::rename(left.path() + "/on-disk", left.path() + "/journal");
    const auto store = Open(left.path());
    ExpectRecords(store.get(), run, last);
  }

  SyncDisk disk_;
  std::atomic<int> syncs_ = 0;  // of the journal
  std::atomic<bool> fails_ = false;
  FakeClock still_;
  TemporaryDirectory directory_;
  std::unique_ptr<JournaledStore> store_;
};

// As a quiet run beside one that prints as much as it can.
TEST_F(JournalAlways, TakesWhatIsSmallWhileTheDiskIsAtWorkOnWhatIsLarge) {
  disk_.SetStalled(true);
  std::jthread large([&] { EXPECT_TRUE(Append(kOtherRun, 1, kLarge).ok()); });
  ASSERT_TRUE(disk_.AwaitStalled(kPatience));
  absl::Notification appended;
  std::jthread quiet([&] {
    AppendEach(kRun, 1, 20);
    appended.Notify();
  });
  EXPECT_TRUE(appended.WaitForNotificationWithTimeout(kPatience)) << "it waits for the other run";
  ExpectRecords(store_.get(), kRun, 20);
  disk_.SetStalled(false);
}

TEST_F(JournalAlways, TakesWhatIsSmallWhileWhatCameBeforeIsMoved) {
  disk_.SetStalled(true);
  AppendEach(kRun, 1, 3);
  std::jthread mover([&] { EXPECT_TRUE(store_->MoveToDatabase().ok()); });
  ASSERT_TRUE(disk_.AwaitStalled(kPatience));
  absl::Notification appended;
  std::jthread quiet([&] {
    AppendEach(kRun, 4, 6);
    appended.Notify();
  });
  EXPECT_TRUE(appended.WaitForNotificationWithTimeout(kPatience)) << "it waits for the move";
  std::jthread large([&] {
    quiet.join();
    EXPECT_TRUE(Append(kRun, 7, kLarge).ok()) << "behind the move";
  });
  disk_.SetStalled(false);
  mover.join();
  large.join();
  EXPECT_EQ(LastInDatabase(kRun), 7);
  ExpectRecords(store_.get(), kRun, 7);
}

// What is being moved with others waits for none of them: one whose end waits for the disk holds up
// itself alone.
TEST_F(JournalAlways, MovesNothingThatThenWaitsForAnotherRun) {
  store_.reset();
  store_ = Open(directory_.path(), &still_);  // which moves nothing by itself
  AppendEach(kRun, 1, 3);
  AppendEach(kOtherRun, 1, 1);
  disk_.SetStalled(true);
  std::jthread large([&] { EXPECT_TRUE(Append(kOtherRun, 2, kLarge).ok()); });
  EXPECT_TRUE(disk_.AwaitStalled(kPatience));
  std::jthread mover([&] { EXPECT_TRUE(store_->MoveToDatabase().ok()); });
  // It has written, and waits for the disk itself.
  const auto is_written = [&] { return store_->database()->Read(kRun, 3).ok(); };
  const absl::Time deadline = absl::Now() + kPatience;
  while (!is_written() && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(is_written()) << "it waits for the other run to be moved";
  disk_.SetStalled(false);
  mover.join();
  large.join();
  ExpectRecords(store_.get(), kRun, 3);
  ExpectRecords(store_.get(), kOtherRun, 2);
}

TEST_F(JournalAlways, ReturnsWhenTheDiskHasIt) {
  for (int64_t last = 1; last <= 30; ++last) {
    const int before = syncs_;
    ASSERT_TRUE(Append(kRun, last).ok());
    EXPECT_GE(syncs_ - before, 1);
    if (last % 10 == 0) ExpectRecordsAfterPowerCut(kRun, last);
  }
}

// Halves of the journal change places, and what is large comes in between.
TEST_F(JournalAlways, HasOnTheDiskWhatItHasShownWhateverIsMoved) {
  int64_t last = 0;
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(Append(kRun, ++last, 1000).ok());
    if (round % 3 == 1) {
      ASSERT_TRUE(store_->MoveToDatabase().ok());
    } else if (round % 3 == 2) {
      ASSERT_TRUE(Append(kRun, ++last, kLarge).ok());
    }
    ASSERT_TRUE(Append(kRun, ++last).ok());
    ExpectRecordsAfterPowerCut(kRun, last);
  }
}

// With as many syncs as the runs need that are moved at once, not with one for each.
TEST_F(JournalAlways, MovesManyRunsWithFewSyncs) {
  std::vector<std::string> runs;
  for (int run = 0; run < 100; ++run) {
    runs.push_back(absl::StrCat("019a7b3c-0000-7000-8000-0000000", 10'000 + run));
    Put(runs.back());
  }
  for (const std::string& run : runs) AppendEach(run, 1, 1);
  const int64_t before = disk_.syncs();
  ASSERT_TRUE(store_->MoveToDatabase().ok());
  EXPECT_LE(disk_.syncs() - before, 8);
  for (const std::string& run : runs) EXPECT_EQ(LastInDatabase(run), 1);
}

TEST_F(JournalAlways, LeavesToTheDatabaseWhatItCannotSyncUntilItCan) {
  AppendEach(kRun, 1, 3);
  AppendEach(kOtherRun, 1, 1);
  fails_ = true;
  AppendEach(kRun, 4, 6);
  EXPECT_EQ(LastInDatabase(kRun), 6);
  ExpectRecords(store_.get(), kRun, 6);
  ASSERT_TRUE(store_->MoveToDatabase().ok());
  AppendEach(kRun, 7, 7);
  EXPECT_EQ(LastInDatabase(kRun), 7) << "it still cannot";
  fails_ = false;
  ASSERT_TRUE(store_->MoveToDatabase().ok());
  const int before = syncs_;
  AppendEach(kRun, 8, 8);
  EXPECT_EQ(syncs_ - before, 1) << "the journal takes it again";
  AppendEach(kOtherRun, 2, 2);
  ExpectRecordsAfterPowerCut(kRun, 8);
  ExpectRecordsAfterPowerCut(kOtherRun, 2);
}

TEST_F(JournalAlways, KeepsWhatCouldNotBeMovedUntilItCan) {
  AppendEach(kRun, 1, 5);
  disk_.SetFailing(true);
  int64_t last = 5;
  while (Append(kRun, last + 1).ok()) {
    ++last;
    EXPECT_FALSE(store_->MoveToDatabase().ok());
  }
  EXPECT_GE(last, 6);
  ExpectRecords(store_.get(), kRun, last);
  disk_.SetFailing(false);
  while (!store_->CheckHealth().ok()) std::this_thread::yield();
  AppendEach(kRun, last + 1, last + 1);
  ASSERT_TRUE(store_->MoveToDatabase().ok());
  EXPECT_EQ(LastInDatabase(kRun), last + 1);
  ExpectRecords(store_.get(), kRun, last + 1);
}

}  // namespace
}  // namespace jobtail
