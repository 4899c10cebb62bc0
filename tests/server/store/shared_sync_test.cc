// Tests of syncs that several threads have in common.

#include "server/store/shared_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobtail {
namespace {

constexpr absl::Duration kSyncPatience = absl::Seconds(20);

// A disk that answers one sync after the other, when the test says so.
class Disk {
 public:
  absl::Status Sync() {
    absl::MutexLock lock(&mutex_);
    ++begun_;
    mutex_.Await(absl::Condition(this, &Disk::MayReturn));
    ++ended_;
    return status_;
  }
  void Admit(int64_t syncs, const absl::Status& status = {}) {
    absl::MutexLock lock(&mutex_);
    admitted_ += syncs;
    status_ = status;
  }
  bool AwaitBegun(int64_t syncs) {
    absl::MutexLock lock(&mutex_);
    const auto has_begun = [&]() { return begun_ >= syncs; };
    return mutex_.AwaitWithTimeout(absl::Condition(&has_begun), kSyncPatience);
  }
  int64_t begun() const {
    absl::MutexLock lock(&mutex_);
    return begun_;
  }

 private:
  bool MayReturn() const { return ended_ < admitted_; }

  mutable absl::Mutex mutex_;
  int64_t begun_ = 0;
  int64_t ended_ = 0;
  int64_t admitted_ = 0;
  absl::Status status_;
};

class SharedSyncTest : public ::testing::Test {
 protected:
  absl::Status Sync() {
    return sync_.Sync([this] { return disk_.Sync(); });
  }
  // A thread that has written, and waits for the disk.
  std::jthread Write(std::atomic<int>* done, bool succeeds = true) {
    sync_.NoteWrite();
    return std::jthread([this, done, succeeds] {
      EXPECT_EQ(Sync().ok(), succeeds);
      ++*done;
    });
  }

  Disk disk_;
  SharedSync sync_;
};

TEST_F(SharedSyncTest, HasNothingToDoWithoutAWrite) {
  EXPECT_TRUE(Sync().ok());
  EXPECT_EQ(disk_.begun(), 0);
}

TEST_F(SharedSyncTest, IsDoneOnceForAllWhoHaveWrittenBefore) {
  disk_.Admit(1);
  for (int write = 0; write < 3; ++write) sync_.NoteWrite();
  EXPECT_TRUE(Sync().ok());
  EXPECT_TRUE(Sync().ok());
  EXPECT_EQ(disk_.begun(), 1);
}

// What was written after a sync has begun may not be on the disk when it has ended.
TEST_F(SharedSyncTest, IsBegunAnewForWhatCameMeanwhileAndThatIsShared) {
  std::atomic<int> done = 0;
  std::vector<std::jthread> writers;
  writers.push_back(Write(&done));
  ASSERT_TRUE(disk_.AwaitBegun(1));
  for (int writer = 0; writer < 8; ++writer) writers.push_back(Write(&done));
  disk_.Admit(1);
  ASSERT_TRUE(disk_.AwaitBegun(2));
  EXPECT_LE(done, 1) << "only the one whose sync has ended";
  disk_.Admit(8);
  writers.clear();
  EXPECT_EQ(done, 9);
  EXPECT_EQ(disk_.begun(), 2);
}

TEST_F(SharedSyncTest, ThatFailsIsToldToAllUntilTheOwnerHasSeenToIt) {
  std::atomic<int> done = 0;
  std::vector<std::jthread> writers;
  writers.push_back(Write(&done, false));
  ASSERT_TRUE(disk_.AwaitBegun(1));
  for (int writer = 0; writer < 8; ++writer) writers.push_back(Write(&done, false));
  disk_.Admit(8, absl::UnavailableError("broken"));
  writers.clear();
  EXPECT_EQ(done, 9);
  disk_.Admit(0);
  EXPECT_FALSE(Sync().ok());
  EXPECT_EQ(disk_.begun(), 1) << "the disk is not asked again";
  sync_.Restart();
  EXPECT_TRUE(Sync().ok());
}

}  // namespace
}  // namespace jobtail
