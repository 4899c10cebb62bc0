// Syncing: whom it holds up, and what becomes of the store when the disk refuses.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/synchronization/notification.h"
#include "server/log/record.h"
#include "server/store/rocksdb_store.h"
#include "tests/server/support/full_disk.h"
#include "tests/server/support/records.h"
#include "tests/server/support/sync_disk.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

using testing::FullDisk;
using testing::SyncDisk;
using testing::TemporaryDirectory;

constexpr absl::Duration kDiskPatience = absl::Seconds(20);

class Sync : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";

  void Open(rocksdb::Env* env, absl::Duration interval = absl::Milliseconds(1),
            SyncMode sync = SyncMode::kInterval, Clock* clock = Clock::System()) {
    store_.reset();
    auto store = RocksDbStore::Open({.directory = directory_.path(),
                                     .sync = sync,
                                     .sync_interval = interval,
                                     .env = env,
                                     .clock = clock});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    for (const char* run : {kRun, kOtherRun}) {
      storage::v1::StoredRun put;
      put.mutable_run()->set_id(run);
      ASSERT_TRUE(store_->PutRun(put).ok());
    }
  }

  std::string AddRun(int number) {
    std::string run = "019a7b3c-0000-7000-8000-0000000001" + std::to_string(10 + number);
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    EXPECT_TRUE(store_->PutRun(put).ok());
    return run;
  }

  static Batch MakeBatch(int64_t first, int64_t last) {
    std::string bytes;
    for (int64_t i = first; i <= last; ++i) {
      EncodeLine(i, i, testing::Out("line " + std::to_string(i)), &bytes);
    }
    return {first, last, last, last, last, Share(std::move(bytes))};
  }

  absl::Status Append(const std::string& run, int64_t first, int64_t last, bool sync = false) {
    return store_->Append(run, {MakeBatch(first, last)}, sync);
  }

  // The run's records from 1 to `last`, each once.
  void ExpectRecords(const std::string& run, int64_t last) {
    EXPECT_EQ(store_->GetExtent(run)->last, last);
    int64_t next = 1;
    while (next <= last) {
      const auto batch = store_->Read(run, next);
      ASSERT_TRUE(batch.ok()) << batch.status();
      for (const v1::LogLine& line : testing::Decode(*batch->bytes)) {
        ASSERT_EQ(line.sequence(), next++);
      }
    }
    EXPECT_EQ(next, last + 1);
    EXPECT_EQ(store_->Read(run, last + 1).status().code(), absl::StatusCode::kNotFound);
  }

  FakeClock clock_;
  TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_;
};

// Appends on a thread of its own; whether that has returned in time.
TEST_F(Sync, HoldsNoWriterUp) {
  SyncDisk disk;
  Open(disk.env());
  disk.SetStalled(true);
  ASSERT_TRUE(Append(kRun, 1, 1).ok());
  ASSERT_TRUE(disk.AwaitStalled(kDiskPatience));
  absl::Notification appended;
  std::jthread writer([&] {
    for (int64_t i = 2; i <= 100; ++i) EXPECT_TRUE(Append(kRun, i, i).ok());
    EXPECT_TRUE(Append(kOtherRun, 1, 1).ok());
    appended.Notify();
  });
  EXPECT_TRUE(appended.WaitForNotificationWithTimeout(kDiskPatience)) << "it waits for the disk";
  disk.SetStalled(false);
  writer.join();
  ExpectRecords(kRun, 100);
  store_.reset();
}

// Not even whoever asks about the log that is being written to.
TEST_F(Sync, HoldsNobodyUpWhoAsksForTheLogsEnd) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  ASSERT_TRUE(Append(kRun, 1, 2).ok());
  disk.SetStalled(true);
  std::jthread end([&] { EXPECT_TRUE(Append(kRun, 3, 3, /*sync=*/true).ok()); });
  ASSERT_TRUE(disk.AwaitStalled(kDiskPatience));
  absl::Notification answered;
  std::jthread reader([&] {
    EXPECT_EQ(store_->GetExtent(kRun)->last, 2) << "the third is not on the disk";
    answered.Notify();
  });
  EXPECT_TRUE(answered.WaitForNotificationWithTimeout(kDiskPatience)) << "it waits for the disk";
  disk.SetStalled(false);
  end.join();
  reader.join();
  ExpectRecords(kRun, 3);
  store_.reset();
}

// Nor does the end of another run, which waits for the disk itself.
TEST_F(Sync, OfOneRunsEndHoldsNoOtherRunUp) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  disk.SetStalled(true);
  std::atomic<bool> ended = false;
  std::jthread end([&] {
    EXPECT_TRUE(Append(kRun, 1, 1, /*sync=*/true).ok());
    ended = true;
  });
  ASSERT_TRUE(disk.AwaitStalled(kDiskPatience));
  absl::Notification appended;
  std::jthread writer([&] {
    for (int64_t i = 1; i <= 100; ++i) EXPECT_TRUE(Append(kOtherRun, i, i).ok());
    appended.Notify();
  });
  EXPECT_TRUE(appended.WaitForNotificationWithTimeout(kDiskPatience)) << "it waits for the disk";
  EXPECT_FALSE(ended) << "that of the other run is not on the disk";
  disk.SetStalled(false);
  end.join();
  writer.join();
  store_.reset();
}

TEST_F(Sync, IsSharedByAllWhoWaitForIt) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  std::vector<std::string> runs;
  for (int run = 0; run < 8; ++run) runs.push_back(AddRun(run));
  disk.SetStalled(true);
  std::jthread first([&] { EXPECT_TRUE(Append(kRun, 1, 1, /*sync=*/true).ok()); });
  ASSERT_TRUE(disk.AwaitStalled(kDiskPatience));
  std::vector<std::jthread> ends;
  for (const std::string& run : runs) {
    ends.emplace_back([&] { EXPECT_TRUE(Append(run, 1, 1, /*sync=*/true).ok()); });
  }
  // All have written, and wait for the disk.
  for (const std::string& run : runs) {
    while (!store_->Read(run, 1).ok()) std::this_thread::yield();
  }
  const int64_t before = disk.syncs();
  disk.SetStalled(false);
  first.join();
  ends.clear();
  EXPECT_LE(disk.syncs() - before, 1 + 2) << "the one at work, and one or two for all the others";
  store_.reset();
}

// The one at work when it asks, and the one after that, whoever else asks meanwhile.
TEST_F(Sync, IsWaitedForTwiceAtMostWhateverOthersDo) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  std::atomic<bool> done = false;
  std::vector<std::jthread> crowd;
  for (int writer = 0; writer < 8; ++writer) {
    crowd.emplace_back([&, run = AddRun(writer)] {
      for (int64_t i = 1; !done; ++i) EXPECT_TRUE(Append(run, i, i, /*sync=*/true).ok());
    });
  }
  constexpr int kLines = 50;
  int syncs = 0;
  for (int64_t i = 1; i <= kLines; ++i) {
    disk.SetStalled(true);
    EXPECT_TRUE(disk.AwaitStalled(kDiskPatience));
    absl::Notification synced;
    std::jthread quiet([&] {
      EXPECT_TRUE(Append(kRun, i, i, /*sync=*/true).ok());
      synced.Notify();
    });
    while (!store_->Read(kRun, i).ok()) std::this_thread::yield();  // it has written, and waits
    do {
      disk.Admit(1);
      ++syncs;
      EXPECT_TRUE(disk.AwaitStalled(kDiskPatience));
    } while (!synced.WaitForNotificationWithTimeout(absl::Milliseconds(20)));
    disk.SetStalled(false);
  }
  EXPECT_LE(syncs, 3 * kLines) << "two for each, if no thread ever waits for a processor";
  done = true;
  crowd.clear();
  store_.reset();
}

// The system forgets what it could not write, and the next sync succeeds without it.
TEST_F(Sync, ThatFailsIsToldToAllWhoWait) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  disk.SetStalled(true);
  std::jthread first([&] { EXPECT_FALSE(Append(kRun, 1, 1, /*sync=*/true).ok()); });
  ASSERT_TRUE(disk.AwaitStalled(kDiskPatience));
  std::jthread second([&] { EXPECT_FALSE(Append(kOtherRun, 1, 1, /*sync=*/true).ok()); });
  while (!store_->Read(kOtherRun, 1).ok()) std::this_thread::yield();
  disk.FailNext();
  disk.SetStalled(false);
  first.join();
  second.join();
  EXPECT_FALSE(store_->CheckHealth().ok());
  store_.reset();
}

TEST_F(Sync, AlwaysReturnsWhenTheDiskHasIt) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1), SyncMode::kAlways);
  const int64_t before = disk.syncs();
  for (int64_t i = 1; i <= 10; ++i) ASSERT_TRUE(Append(kRun, i, i).ok());
  EXPECT_GE(disk.syncs() - before, 10);
  store_.reset();
}

TEST_F(Sync, FollowsTheWriteAheadLogFromFileToFile) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  int64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    const int64_t before = disk.syncs();
    ASSERT_TRUE(Append(kRun, last + 1, last + 1).ok());
    ++last;
    ASSERT_TRUE(store_->Sync().ok());
    EXPECT_GE(disk.syncs() - before, 1);
    ASSERT_TRUE(Append(kRun, last + 1, last + 1).ok());
    ++last;
    ASSERT_TRUE(store_->Flush().ok());  // begins another
  }
  const int64_t before = disk.syncs();
  ASSERT_TRUE(store_->Sync().ok());
  ASSERT_TRUE(store_->Sync().ok());
  EXPECT_LE(disk.syncs() - before, 2) << "nothing was written meanwhile";
  store_.reset();
}

// There may be logs between the last that was synced and the newest, and they cannot be looked for.
TEST_F(Sync, IsNoSyncWhereNobodyKnowsOfWhat) {
  SyncDisk disk;
  Open(disk.env(), absl::Hours(1));
  ASSERT_TRUE(Append(kRun, 1, 1).ok());
  ASSERT_TRUE(store_->Sync().ok());
  ASSERT_TRUE(store_->Flush().ok());  // begins another
  ASSERT_TRUE(Append(kRun, 2, 2).ok());
  disk.SetUnlisted(true);
  EXPECT_FALSE(store_->Sync().ok());
  disk.SetUnlisted(false);
  store_.reset();
}

TEST_F(Sync, ThatFailsIsToldAndRecoveredFromOnceTheDiskWorks) {
  SyncDisk disk;
  Open(disk.env());
  ASSERT_TRUE(Append(kRun, 1, 1).ok());
  disk.SetFailing(true);
  int64_t last = 1;
  while (Append(kRun, last + 1, last + 1).ok()) ++last;  // until it is noticed
  EXPECT_EQ(store_->CheckHealth().code(), absl::StatusCode::kUnavailable);
  disk.SetFailing(false);
  // The store may have been opened anew, and tried to sync, before the disk was well again.
  while (!Append(kRun, last + 1, last + 1, /*sync=*/true).ok()) std::this_thread::yield();
  ++last;
  ExpectRecords(kRun, last);
  Open(nullptr);
  ExpectRecords(kRun, last);
}

// What was written and could not be synced is there, and nobody was told of it: what is appended
// next takes its place, whatever that is.
TEST_F(Sync, ThatFailsLeavesNothingTwice) {
  SyncDisk disk;
  Open(disk.env());
  ASSERT_TRUE(Append(kRun, 1, 10, /*sync=*/true).ok());
  disk.SetFailing(true);
  const std::vector<Batch> refused = {MakeBatch(11, 12), MakeBatch(13, 20), MakeBatch(21, 30)};
  ASSERT_FALSE(store_->Append(kRun, refused, /*sync=*/true).ok());
  EXPECT_EQ(store_->GetExtent(kRun)->last, 10);
  disk.SetFailing(false);
  while (!Append(kRun, 11, 16, /*sync=*/true).ok()) std::this_thread::yield();
  ExpectRecords(kRun, 16);
  ASSERT_TRUE(Append(kRun, 17, 40).ok());
  ExpectRecords(kRun, 40);
  Open(nullptr);
  ExpectRecords(kRun, 40);
}

// What a disk has taken says nothing of whether it still answers.
TEST_F(Sync, ThatTheDiskDoesNotAnswerIsBadHealth) {
  SyncDisk disk;
  Open(disk.env(), absl::Seconds(1), SyncMode::kInterval, &clock_);
  EXPECT_TRUE(store_->CheckHealth().ok());
  disk.SetStalled(true);
  ASSERT_TRUE(Append(kRun, 1, 1).ok());
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(disk.AwaitStalled(kDiskPatience));
  clock_.Advance(Upkeep::kPatience);
  EXPECT_TRUE(store_->CheckHealth().ok()) << "it may be slow";
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(store_->CheckHealth().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Append(kRun, 2, 2).ok()) << "what does not need the disk's answer goes on";
  disk.SetStalled(false);
  while (!store_->CheckHealth().ok()) std::this_thread::yield();
  store_.reset();
}

// What takes long because there is much of it does not mean that the disk does not answer.
TEST_F(Sync, ThatComesFurtherIsGoodHealth) {
  SyncDisk disk;
  Open(disk.env(), absl::Seconds(1), SyncMode::kInterval, &clock_);
  absl::Notification began;
  absl::Notification checked;
  store_->SetBeforeSync([&](absl::FunctionRef<void()> progressed) {
    if (began.HasBeenNotified()) return;
    for (int i = 0; i < 3; ++i) {
      clock_.Advance(Upkeep::kPatience);
      progressed();
    }
    began.Notify();
    checked.WaitForNotification();
  });
  clock_.Advance(absl::Seconds(1));
  began.WaitForNotification();
  EXPECT_TRUE(store_->CheckHealth().ok()) << store_->CheckHealth();
  checked.Notify();
  store_.reset();
}

// RocksDB ends the process that syncs a write-ahead log, by its own means, to which a write has
// just failed.
TEST_F(Sync, GoesOnWhileWritesFailAndComeBack) {
  FullDisk disk;
  disk.SetAdmits(false);
  Open(disk.env());
  std::atomic<bool> done = false;
  std::atomic<int64_t> last[2] = {0, 0};
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 2; ++writer) {
      writers.emplace_back([&, writer] {
        const char* const run = writer == 0 ? kRun : kOtherRun;
        while (!done) {
          const int64_t next = last[writer] + 1;
          if (Append(run, next, next, /*sync=*/next % 7 == 0).ok()) last[writer] = next;
        }
      });
    }
    for (int round = 0; round < 20; ++round) {
      disk.SetFull(true);
      while (store_->CheckHealth().ok()) std::this_thread::yield();
      disk.SetFull(false);
      while (!store_->CheckHealth().ok()) std::this_thread::yield();
    }
    done = true;
  }
  ExpectRecords(kRun, last[0]);
  ExpectRecords(kOtherRun, last[1]);
  Open(nullptr);
  ExpectRecords(kRun, last[0]);
  ExpectRecords(kOtherRun, last[1]);
}

}  // namespace
}  // namespace jobtail
