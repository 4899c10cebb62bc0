// Errors of the disk that pass: the store goes on by itself, and nothing that it promised is lost.

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/log/record.h"
#include "server/store/rocksdb_store.h"
#include "server/store/rocksdb_tuning.h"
#include "tests/server/support/faulty_disk.h"
#include "tests/server/support/full_disk.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

using testing::FaultyDisk;
using testing::FullDisk;
using testing::TemporaryDirectory;
using Call = FaultyDisk::Call;

constexpr absl::Duration kReopenPatience = absl::Seconds(60);

class Reopen : public ::testing::Test {
 protected:
  static constexpr int kRuns = 3;
  static constexpr size_t kLineBytes = 2000;

  static std::string RunId(int run) {
    return "019a7b3c-0000-7000-8000-00000000000" + std::to_string(run);
  }

  // Small memory tables: files are written, and joined to others, all the time.
  void Open(rocksdb::Env* env) {
    store_.reset();
    auto store = RocksDbStore::Open({.directory = directory_.path(),
                                     .sync_interval = absl::Milliseconds(5),
                                     .write_buffer_bytes = size_t{256} << 10,
                                     .min_free_bytes = 0,
                                     .env = env});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  void PutRuns() {
    for (int run = 0; run < kRuns; ++run) {
      storage::v1::StoredRun put;
      put.mutable_run()->set_id(RunId(run));
      ASSERT_TRUE(store_->PutRun(put).ok());
    }
  }

  // Appends to all runs, and reads them from the beginning, until it is told to stop.
  void Work() {
    for (int run = 0; run < kRuns; ++run) {
      threads_.emplace_back([this, run](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const int64_t next = last_[run] + 1;
          std::string bytes;
          EncodeLine(next, next, testing::Out(std::string(kLineBytes, 'x')), &bytes);
          const Batch batch{next, next, next, next, next, Share(std::move(bytes))};
          if (store_->Append(RunId(run), {batch}, /*sync=*/next % 50 == 0).ok()) last_[run] = next;
        }
      });
      threads_.emplace_back([this, run](const std::stop_token& stop) {
        for (int64_t next = 1; !stop.stop_requested();) {
          const int64_t last = last_[run];
          if (next > last) next = 1;
          if (last == 0) continue;
          const auto batch = store_->Read(RunId(run), next);
          // While it is being opened anew, and on a disk that cannot be read, there is an error;
          // but never something else than what was asked for.
          if (batch.ok()) {
            EXPECT_EQ(batch->first, next);
          }
          ++next;
        }
      });
    }
  }

  void Rest() { threads_.clear(); }

  // Waits until each run has got `more` records.
  void AwaitRecords(int64_t more) {
    const absl::Time deadline = absl::Now() + kReopenPatience;
    for (int run = 0; run < kRuns; ++run) {
      const int64_t wanted = last_[run] + more;
      while (last_[run] < wanted && absl::Now() < deadline) std::this_thread::yield();
      EXPECT_GE(last_[run], wanted) << "run " << run << " is refused: " << store_->CheckHealth();
    }
  }

  // What was promised is there, each record once, in its place.
  void ExpectAll() {
    for (int run = 0; run < kRuns; ++run) {
      const int64_t last = store_->GetExtent(RunId(run))->last;
      EXPECT_GE(last, last_[run]);
      for (int64_t next = 1; next <= last; ++next) {
        const auto batch = store_->Read(RunId(run), next);
        ASSERT_TRUE(batch.ok()) << batch.status();
        ASSERT_EQ(batch->first, next);
        ASSERT_EQ(testing::Decode(*batch->bytes).at(0).text().size(), kLineBytes);
      }
    }
  }

  TemporaryDirectory directory_;
  std::unique_ptr<RocksDbStore> store_;
  std::atomic<int64_t> last_[kRuns] = {};
  std::vector<std::jthread> threads_;
};

struct Fault {
  const char* name;
  Call call;
  const char* files;
  int64_t times;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class ReopenAfter : public Reopen, public ::testing::WithParamInterface<Fault> {};

TEST_P(ReopenAfter, GoesOnAndHasLostNothing) {
  FaultyDisk disk;
  Open(disk.env());
  PutRuns();
  Work();
  AwaitRecords(200);
  const Fault fault = GetParam();
  disk.FailNext(fault.call, fault.files, fault.times);
  EXPECT_EQ(disk.AwaitFailures(kReopenPatience), 0);
  AwaitRecords(500);
  Rest();
  EXPECT_TRUE(store_->CheckHealth().ok()) << store_->CheckHealth();
  ExpectAll();
  Open(nullptr);
  ExpectAll();
}

INSTANTIATE_TEST_SUITE_P(Disk, ReopenAfter,
                         ::testing::Values(Fault{"AWriteOfTheLog", Call::kWrite, ".log", 1},
                                           Fault{"ASyncOfTheLog", Call::kSync, ".log", 1},
                                           Fault{"SyncsOfTheLog", Call::kSync, ".log", 5},
                                           Fault{"AWriteOfATable", Call::kWrite, ".sst", 1},
                                           Fault{"WritesOfTables", Call::kWrite, ".sst", 4},
                                           Fault{"ASyncOfATable", Call::kSync, ".sst", 1},
                                           Fault{"AWriteOfTheManifest", Call::kWrite, "MANIFEST",
                                                 1},
                                           Fault{"ASyncOfTheManifest", Call::kSync, "MANIFEST", 1},
                                           Fault{"AnOpenOfATable", Call::kOpen, ".sst", 1},
                                           Fault{"OpensOfTables", Call::kOpen, ".sst", 4},
                                           Fault{"OpensOfTheLog", Call::kOpen, ".log", 2},
                                           Fault{"AReadOfATable", Call::kRead, ".sst", 1},
                                           Fault{"ReadsOfTables", Call::kRead, ".sst", 4}),
                         [](const auto& parameter) { return parameter.param.name; });

// A bad sector: what is in one file cannot be read any more. Who writes does not notice.
TEST_F(Reopen, AFileThatCannotBeReadKeepsNobodyFromWriting) {
  FaultyDisk disk;
  Open(disk.env());
  PutRuns();
  Work();
  AwaitRecords(200);
  Rest();
  ASSERT_TRUE(store_->Flush().ok());
  std::vector<rocksdb::LiveFileMetaData> files;
  store_->db()->GetLiveFilesMetaData(&files);
  const auto sick = std::ranges::find_if(files, [](const rocksdb::LiveFileMetaData& file) {
    return file.column_family_name == kFamilyNames[kBatchesFamily];
  });
  ASSERT_NE(sick, files.end());
  disk.FailNext(Call::kRead, sick->name, std::numeric_limits<int64_t>::max());
  Work();
  AwaitRecords(3000);  // which are joined to what was there before
  Rest();
  EXPECT_TRUE(store_->CheckHealth().ok()) << store_->CheckHealth();
  Open(nullptr);
  ExpectAll();  // it was the disk's fault alone
}

// Over and over, under writers and readers.
TEST_F(Reopen, AfterAFullDiskAsOftenAsThereIsOne) {
  FullDisk disk;
  disk.SetAdmits(false);
  Open(disk.env());
  PutRuns();
  Work();
  for (int round = 0; round < 10; ++round) {
    AwaitRecords(100);
    disk.SetFull(true);
    const absl::Time deadline = absl::Now() + kReopenPatience;
    while (store_->CheckHealth().ok() && absl::Now() < deadline) std::this_thread::yield();
    EXPECT_EQ(store_->CheckHealth().code(), absl::StatusCode::kResourceExhausted);
    disk.SetFull(false);
  }
  AwaitRecords(100);
  Rest();
  ExpectAll();
  Open(nullptr);
  ExpectAll();
}

// What cannot be read at this moment is not the end of the write-ahead log.
TEST_F(Reopen, IsNotDoneWhileTheWriteAheadLogCannotBeRead) {
  FaultyDisk disk;
  Open(disk.env());
  PutRuns();
  Work();
  AwaitRecords(200);
  Rest();
  store_.reset();
  disk.FailNext(Call::kRead, ".log", 1);
  const auto refused = RocksDbStore::Open({.directory = directory_.path(), .env = disk.env()});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable) << refused.status();
  EXPECT_EQ(disk.AwaitFailures(absl::ZeroDuration()), 0);
  Open(disk.env());
  ExpectAll();
  store_.reset();
}

// A disk that takes no writes can still be read, and the database stays open for that.
TEST_F(Reopen, WaitsUntilTheDiskTakesWrites) {
  FaultyDisk disk;
  Open(disk.env());
  PutRuns();
  Work();
  AwaitRecords(200);
  disk.FailNext(Call::kWrite, "", 1'000'000);
  const absl::Time deadline = absl::Now() + kReopenPatience;
  while (store_->CheckHealth().ok() && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(store_->CheckHealth().code(), absl::StatusCode::kUnavailable);
  Rest();
  ExpectAll();
  disk.FailNext(Call::kWrite, "", 0);
  Work();
  AwaitRecords(100);
  Rest();
  ExpectAll();
  store_.reset();
}

}  // namespace
}  // namespace jobtail
