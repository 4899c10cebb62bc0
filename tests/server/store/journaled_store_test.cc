// Tests of the journaled store: what waits in the journal, and when it moves.

#include "server/store/journaled_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "tests/server/store/log_store_conformance.h"
#include "tests/server/support/faulty_store.h"
#include "tests/server/support/full_disk.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

// So that only tests move anything to the database.
constexpr absl::Duration kNever = absl::Hours(1);

std::unique_ptr<JournaledStore> OpenStore(const RocksDbOptions& options,
                                          const JournalOptions& journal = {}) {
  auto store = JournaledStore::Open(options, journal);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

struct Owned {
  Owned(RocksDbOptions options, const JournalOptions& journal) {
    options.directory = directory.path();
    store = OpenStore(options, journal);
  }
  TemporaryDirectory directory;
  std::unique_ptr<JournaledStore> store;
};

// A store that takes its directory away with it.
class StoreInDirectory : private Owned, public testing::FaultyStore {
 public:
  StoreInDirectory(const RocksDbOptions& options, const JournalOptions& journal)
      : Owned(options, journal), FaultyStore(store.get()) {}
};

// The suite wants its batches back as they were.
StoreUnderTest WithInterval(absl::Duration interval, size_t journal_bytes = size_t{8} << 20) {
  return {[=] {
    return std::make_unique<StoreInDirectory>(
        RocksDbOptions{.directory = "", .sync_interval = interval},
        JournalOptions{.bytes = journal_bytes, .join_bytes = 0});
  }};
}

INSTANTIATE_TEST_SUITE_P(Journaled, LogStoreConformance, ::testing::Values(WithInterval(kNever)));
INSTANTIATE_TEST_SUITE_P(JournaledAndMoved, LogStoreConformance,
                         ::testing::Values(WithInterval(absl::Milliseconds(1))));
INSTANTIATE_TEST_SUITE_P(JournaledInLittleRoom, LogStoreConformance,
                         ::testing::Values(WithInterval(absl::Milliseconds(1), 2048)));
INSTANTIATE_TEST_SUITE_P(JournaledAndSynced, LogStoreConformance,
                         ::testing::Values(StoreUnderTest{[] {
                           return std::make_unique<StoreInDirectory>(
                               RocksDbOptions{.directory = "", .sync = SyncMode::kAlways},
                               JournalOptions{.join_bytes = 0});
                         }}));

class JournaledStoreTest : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";

  JournaledStoreTest() : store_(OpenStore(Options(directory_->path()))) {
    Put(kRun);
    Put(kOtherRun);
  }

  static RocksDbOptions Options(const std::string& directory) {
    return {.directory = directory, .sync_interval = kNever};
  }

  void Put(const std::string& run) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    ASSERT_TRUE(store_->PutRun(put).ok());
  }

  static std::string Bytes(int64_t first, int64_t last) {
    std::string bytes;
    for (int64_t i = first; i <= last; ++i) {
      EncodeLine(i, i, testing::Out(absl::StrCat(i)), &bytes);
    }
    return bytes;
  }

  absl::Status Append(const std::string& run, int64_t first, int64_t last, bool sync = false,
                      size_t filling = 0) {
    const std::string bytes = Bytes(first, last) + std::string(filling, '.');
    return store_->Append(run, {Batch{first, last, last, last, last, Share(bytes)}}, sync);
  }

  void AppendEach(const std::string& run, int64_t first, int64_t last) {
    for (int64_t i = first; i <= last; ++i) ASSERT_TRUE(Append(run, i, i).ok());
  }

  int64_t LastInDatabase(const std::string& run) {
    return store_->database()->GetExtent(run)->last;
  }

  // `disk` has to outlive the store.
  void ReopenOn(testing::FullDisk* disk, absl::Duration sync_interval) {
    RocksDbOptions options = Options(directory_->path());
    options.sync_interval = sync_interval;
    options.env = disk->env();
    store_.reset();
    store_ = OpenStore(options);
  }

  // The directory as a process leaves it that is killed now.
  void KillAndReopen() {
    auto left = std::make_unique<TemporaryDirectory>();
    for (const auto& file : fs::directory_iterator(directory_->path())) {
      std::error_code error;  // of one that the database has just deleted
      fs::copy_file(file.path(), fs::path(left->path()) / file.path().filename(), error);
    }
    store_.reset();
    directory_ = std::move(left);
    store_ = OpenStore(Options(directory_->path()));
    ASSERT_NE(store_, nullptr);
  }

  void ExpectRecords(const std::string& run, int64_t last) {
    EXPECT_EQ(store_->GetExtent(run)->last, last);
    EXPECT_EQ(store_->GetExtent(run)->first, 1);
    std::string bytes;
    for (int64_t next = 1; next <= last;) {
      const auto batch = store_->Read(run, next);
      ASSERT_TRUE(batch.ok()) << batch.status() << " at " << next;
      ASSERT_EQ(batch->first, next);
      bytes += *batch->bytes;
      next = batch->last + 1;
    }
    EXPECT_EQ(bytes, Bytes(1, last));
    EXPECT_EQ(store_->GetExtent(run)->bytes, bytes.size());
  }

  std::unique_ptr<TemporaryDirectory> directory_ = std::make_unique<TemporaryDirectory>();
  std::unique_ptr<JournaledStore> store_;
};

TEST_F(JournaledStoreTest, LeavesWhatComesAloneToTheJournal) {
  AppendEach(kRun, 1, 10);
  EXPECT_EQ(LastInDatabase(kRun), 0);
  ExpectRecords(kRun, 10);
  EXPECT_EQ(store_->FindTime(kRun, 4)->first, 4);
  EXPECT_EQ(store_->Read(kRun, 11).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JournaledStoreTest, MovesItToTheDatabaseAsOneBatch) {
  AppendEach(kRun, 1, 10);
  AppendEach(kOtherRun, 1, 3);
  store_->MoveToDatabase().IgnoreError();
  EXPECT_EQ(LastInDatabase(kRun), 10);
  EXPECT_EQ(LastInDatabase(kOtherRun), 3);
  const auto batch = store_->database()->Read(kRun, 5);
  EXPECT_EQ(batch->first, 1);
  EXPECT_EQ(batch->last, 10);
  ExpectRecords(kRun, 10);
  AppendEach(kRun, 11, 12);
  ExpectRecords(kRun, 12);
  EXPECT_EQ(store_->FindTime(kRun, 4)->first, 1);
  EXPECT_EQ(store_->FindTime(kRun, 12)->first, 12);
}

TEST_F(JournaledStoreTest, MovesItBeforeEachSync) {
  store_.reset();
  RocksDbOptions options = Options(directory_->path());
  options.sync_interval = absl::Milliseconds(1);
  store_ = OpenStore(options);
  AppendEach(kRun, 1, 10);
  while (LastInDatabase(kRun) < 10) std::this_thread::yield();
}

TEST_F(JournaledStoreTest, JoinsNoMoreThanABatchMayHave) {
  for (int64_t i = 1; i <= 40; ++i) ASSERT_TRUE(Append(kRun, i, i, false, 10'000).ok());
  store_->MoveToDatabase().IgnoreError();
  for (int64_t next = 1; next <= 40;) {
    const auto batch = store_->database()->Read(kRun, next);
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_LE(batch->bytes->size(), kBatchBytes);
    next = batch->last + 1;
  }
}

TEST_F(JournaledStoreTest, PutsWhatWaitsBeforeWhatIsLarge) {
  AppendEach(kRun, 1, 3);
  ASSERT_TRUE(Append(kRun, 4, 5000).ok());
  EXPECT_EQ(LastInDatabase(kRun), 5000);
  AppendEach(kRun, 5001, 5003);
  ExpectRecords(kRun, 5003);
}

TEST_F(JournaledStoreTest, PutsTheEndIntoTheDatabaseWithAllThatWaits) {
  AppendEach(kRun, 1, 3);
  ASSERT_TRUE(Append(kRun, 4, 4, /*sync=*/true).ok());
  EXPECT_EQ(LastInDatabase(kRun), 4);
  ExpectRecords(kRun, 4);
}

TEST_F(JournaledStoreTest, RefusesWhatLeavesAHoleAndKeepsWhatWaits) {
  AppendEach(kRun, 1, 3);
  for (const bool sync : {false, true}) {
    EXPECT_EQ(Append(kRun, 3, 3, sync).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(Append(kRun, 5, 5, sync).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(Append(kRun, 5, 5000, sync).code(), absl::StatusCode::kFailedPrecondition);
  }
  ExpectRecords(kRun, 3);
  AppendEach(kRun, 4, 5);
  ExpectRecords(kRun, 5);
}

TEST_F(JournaledStoreTest, LosesNothingWhenTheProcessIsKilled) {
  AppendEach(kRun, 1, 100);
  AppendEach(kOtherRun, 1, 5);
  store_->MoveToDatabase().IgnoreError();
  AppendEach(kRun, 101, 200);
  for (int64_t kill = 0; kill < 3; ++kill) {
    KillAndReopen();
    EXPECT_EQ(LastInDatabase(kRun), 200 + kill) << "moved before anything else";
    ExpectRecords(kRun, 200 + kill);
    ExpectRecords(kOtherRun, 5);
    AppendEach(kRun, 201 + kill, 201 + kill);
  }
}

TEST_F(JournaledStoreTest, KeepsEverythingWhenItIsClosed) {
  AppendEach(kRun, 1, 10);
  store_.reset();
  const auto database = RocksDbStore::Open(Options(directory_->path()));
  ASSERT_TRUE(database.ok());
  EXPECT_EQ((*database)->GetExtent(kRun)->last, 10);
}

TEST_F(JournaledStoreTest, DoesNotBringBackARunThatWasDeleted) {
  AppendEach(kRun, 1, 10);
  AppendEach(kOtherRun, 1, 10);
  ASSERT_TRUE(store_->DeleteRun(kRun).ok());
  EXPECT_EQ(store_->Read(kRun, 1).status().code(), absl::StatusCode::kNotFound);
  KillAndReopen();
  EXPECT_EQ(store_->GetExtent(kRun).status().code(), absl::StatusCode::kNotFound);
  ExpectRecords(kOtherRun, 10);
}

// As after a crash of the machine: the journal has what came later than what the database has.
TEST_F(JournaledStoreTest, TakesNothingFromTheJournalThatWouldLeaveAHole) {
  AppendEach(kRun, 1, 10);
  AppendEach(kOtherRun, 1, 10);
  store_->MoveToDatabase().IgnoreError();
  ASSERT_TRUE(store_->database()->DeleteRun(kRun).ok());
  Put(kRun);
  AppendEach(kOtherRun, 11, 12);
  AppendEach(kRun, 11, 12);
  KillAndReopen();
  EXPECT_EQ(store_->GetExtent(kRun)->last, 0);
  ExpectRecords(kOtherRun, 12);
}

TEST_F(JournaledStoreTest, TakesNothingTwiceAfterTheNextProcessHasGoneOn) {
  AppendEach(kRun, 1, 10);
  KillAndReopen();
  ASSERT_TRUE(Append(kRun, 11, 11, /*sync=*/true).ok());
  KillAndReopen();
  KillAndReopen();
  ExpectRecords(kRun, 11);
}

TEST_F(JournaledStoreTest, TrimsWhatWaits) {
  for (int64_t i = 1; i <= 20; ++i) ASSERT_TRUE(Append(kRun, i, i, false, 10'000).ok());
  const auto first = store_->FindBytes(kRun, 50'000);
  ASSERT_TRUE(first.ok());
  EXPECT_GT(*first, 10);
  ASSERT_TRUE(store_->Trim(kRun, *first).ok());
  EXPECT_EQ(store_->GetExtent(kRun)->first, *first);
  EXPECT_EQ(store_->GetExtent(kRun)->last, 20);
}

TEST_F(JournaledStoreTest, KeepsWhatTheDatabaseRefusesUntilItTakesIt) {
  testing::FullDisk disk;
  disk.SetAdmits(false);
  ReopenOn(&disk, absl::Milliseconds(1));
  disk.SetFull(true);
  int64_t last = 0;
  while (Append(kRun, last + 1, last + 1).ok()) ++last;  // to the journal, until it is noticed
  EXPECT_GE(last, 1);
  EXPECT_FALSE(store_->CheckHealth().ok());
  ExpectRecords(kRun, last);
  EXPECT_FALSE(Append(kRun, last + 1, last + 1).ok()) << "nothing more until there is room";
  disk.SetFull(false);
  while (LastInDatabase(kRun) < last) std::this_thread::yield();
  while (!store_->CheckHealth().ok()) std::this_thread::yield();
  AppendEach(kRun, last + 1, last + 1);
  ExpectRecords(kRun, last + 1);
  store_.reset();
}

TEST_F(JournaledStoreTest, MovesWhatItHasPromisedThoughTheDiskIsNearlyFull) {
  testing::FullDisk disk;
  ReopenOn(&disk, kNever);
  AppendEach(kRun, 1, 10);
  AppendEach(kOtherRun, 1, 10);
  disk.SetNearlyFull(true);
  int64_t last = 10;
  while (Append(kOtherRun, last + 1, last + 1, false, 1 << 20).ok()) ++last;  // until it is noticed
  EXPECT_EQ(Append(kRun, 11, 11).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Append(kRun, 11, 11, /*sync=*/true).ok()) << "a run's end, with what waits";
  EXPECT_EQ(LastInDatabase(kRun), 11);
  ExpectRecords(kRun, 11);
  store_.reset();
}

TEST_F(JournaledStoreTest, MovesWhatWaitsThoughTheDiskIsNearlyFull) {
  testing::FullDisk disk;
  ReopenOn(&disk, kNever);
  AppendEach(kRun, 1, 10);
  disk.SetNearlyFull(true);
  int64_t last = 0;
  while (Append(kOtherRun, last + 1, last + 1, false, 1 << 20).ok()) ++last;
  store_->MoveToDatabase().IgnoreError();
  EXPECT_EQ(LastInDatabase(kRun), 10);
  store_.reset();
}

TEST_F(JournaledStoreTest, SaysWhichFileCannotBeOpened) {
  store_.reset();
  const std::string path = directory_->path() + "/journal";
  fs::remove(path);
  fs::create_directory(path);
  const absl::Status status = JournaledStore::Open(Options(directory_->path())).status();
  EXPECT_THAT(status.ToString(), ::testing::HasSubstr(path));
}

// Lines of many logs, moved all the time: nobody ever misses one.
TEST_F(JournaledStoreTest, ShowsReadersEverythingWhileItIsMoved) {
  constexpr int64_t kLast = 3000;
  std::atomic<bool> done = false;
  std::jthread mover([&] {
    while (!done) store_->MoveToDatabase().IgnoreError();
  });
  std::vector<std::jthread> readers;
  for (const std::string run : {kRun, kOtherRun, kRun}) {
    readers.emplace_back([this, run] {
      for (int64_t next = 1; next <= kLast;) {
        const int64_t last = store_->GetExtent(run)->last;
        ASSERT_GE(last, next - 1);
        while (next <= last) {
          const auto batch = store_->Read(run, next);
          ASSERT_TRUE(batch.ok()) << batch.status() << " at " << next << " of " << last;
          ASSERT_LE(batch->first, next);
          ASSERT_GE(batch->last, next);
          ASSERT_TRUE(store_->FindTime(run, next).ok());
          next = batch->last + 1;
        }
      }
    });
  }
  std::jthread other([this] { AppendEach(kOtherRun, 1, kLast); });
  AppendEach(kRun, 1, kLast);
  other.join();
  readers.clear();
  done = true;
  mover.join();
  ExpectRecords(kRun, kLast);
  ExpectRecords(kOtherRun, kLast);
}

}  // namespace
}  // namespace jobtail
