// When compaction is paused, and when it goes on, by the options that the database has then.

#include "server/store/rocksdb_compaction_pauses.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "server/store/rocksdb_tuning.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

class CompactionPausesTest : public ::testing::Test {
 protected:
  CompactionPausesTest() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.level0_slowdown_writes_trigger = kLevel0Slowdown;
    options.level0_stop_writes_trigger = kLevel0Stop;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, directory_.path(), &opened);
    EXPECT_TRUE(status.ok()) << status.ToString();
    database_.reset(opened);
  }

  void Complete(const rocksdb::Status& status, int times = 1) {
    rocksdb::CompactionJobInfo info;
    info.cf_name = database_->DefaultColumnFamily()->GetName();
    info.status = status;
    for (int i = 0; i < times; ++i) pauses_.OnCompactionCompleted(database_.get(), info);
  }
  void Apply(absl::Duration now) {
    pauses_.Apply(database_.get(), {database_->DefaultColumnFamily()}, now);
  }

  bool IsPaused() const { return database_->GetOptions().disable_auto_compactions; }
  bool IsLimited() const {
    const rocksdb::Options options = database_->GetOptions();
    return options.level0_stop_writes_trigger == kLevel0Stop &&
           options.level0_slowdown_writes_trigger == kLevel0Slowdown;
  }

  const rocksdb::Status damaged_ = rocksdb::Status::Corruption("block checksum mismatch");
  testing::TemporaryDirectory directory_;
  std::unique_ptr<rocksdb::DB> database_;
  CompactionPauses pauses_;
};

TEST_F(CompactionPausesTest, SomeFailuresAreNone) {
  Complete(damaged_, CompactionPauses::kFailures - 1);
  Complete(rocksdb::Status::OK());
  Complete(rocksdb::Status::IOError("Input/output error"), CompactionPauses::kFailures - 1);
  Complete(rocksdb::Status::NoSpace(), 10);
  Complete(rocksdb::Status::ShutdownInProgress(), 10);
  Apply(absl::ZeroDuration());
  EXPECT_FALSE(IsPaused());
  EXPECT_TRUE(IsLimited());
}

TEST_F(CompactionPausesTest, MoreFailuresAreAPauseFromWhichItComesBack) {
  absl::Duration now = absl::Seconds(5);
  for (int round = 0; round < 2; ++round) {  // the second one fails again
    Complete(damaged_, CompactionPauses::kFailures);
    Apply(now);
    EXPECT_TRUE(IsPaused());
    EXPECT_FALSE(IsLimited());
    now += CompactionPauses::kPause - absl::Milliseconds(1);
    Apply(now);
    EXPECT_TRUE(IsPaused());
    now += absl::Milliseconds(1);
    Apply(now);
    EXPECT_FALSE(IsPaused());
    EXPECT_FALSE(IsLimited()) << "as long as none is done";
    Apply(now);
    EXPECT_FALSE(IsLimited());
  }
  Complete(rocksdb::Status::OK());
  Apply(now);
  EXPECT_FALSE(IsPaused());
  EXPECT_TRUE(IsLimited());
}

}  // namespace
}  // namespace jobtail
