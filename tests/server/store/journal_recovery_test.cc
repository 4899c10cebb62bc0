// What a server makes of a journal that somebody has left who was wrong: nothing of it is believed,
// and everything else is served.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "server/store/crc32c.h"
#include "server/store/journaled_store.h"
#include "server/store/store_keys.h"
#include "tests/server/support/records.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

using testing::TemporaryDirectory;

class JournalRecovery : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";

  absl::Status Open() {
    store_.reset();
    auto store = JournaledStore::Open({.directory = directory_.path()});
    if (!store.ok()) return store.status();
    store_ = *std::move(store);
    return absl::OkStatus();
  }

  void Fill(const std::string& run, int64_t last) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id(run);
    ASSERT_TRUE(store_->PutRun(put).ok());
    for (int64_t i = 1; i <= last; ++i) {
      ASSERT_TRUE(store_->Append(run, {{i, i, i, i, i, Share(Record(i))}}, true).ok());
    }
  }

  static std::string Record(int64_t sequence) {
    std::string bytes;
    EncodeLine(sequence, sequence, testing::Out(absl::StrCat("line ", sequence)), &bytes);
    return bytes;
  }

  // A frame as docs/log-format.md describes it, its checksum right and its numbers as given.
  static std::string Frame(const std::string& run, int64_t first, int64_t last,
                           const std::string& batch) {
    std::string checked;
    AppendNumber(/*epoch=*/1, &checked);
    checked += *RunKey(run);
    AppendNumber(first, &checked);
    for (const int64_t field :
         {last, int64_t{1}, int64_t{0}, static_cast<int64_t>(batch.size()), last, last}) {
      AppendNumber(field, &checked);
    }
    checked += batch;
    std::string frame;
    AppendNumber(Crc32c(checked), &frame);
    return frame + checked;
  }

  // Leaves a journal of format 1.
  void LeaveJournal(std::string frames) {
    store_.reset();
    frames.resize(8 << 20, '\0');
    std::ofstream(directory_.path() + "/journal", std::ios::binary | std::ios::trunc) << frames;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<JournaledStore> store_;
};

TEST_F(JournalRecovery, BelievesNoNumbersThatTheBatchDoesNotHave) {
  ASSERT_TRUE(Open().ok());
  Fill(kRun, 5);
  Fill(kOtherRun, 5);
  for (const int64_t last : {INT64_MAX - 1, INT64_MAX, int64_t{-1}, int64_t{0}, INT64_MIN,
                             int64_t{7}, int64_t{1} << 40}) {
    SCOPED_TRACE(last);
    LeaveJournal(Frame(kRun, 6, last, Record(6)) + Frame(kOtherRun, 6, 6, Record(6)));
    const absl::Status opened = Open();
    ASSERT_TRUE(opened.ok()) << opened;
    EXPECT_EQ(store_->GetExtent(kRun)->last, 5);
    EXPECT_EQ(store_->GetExtent(kOtherRun)->last, 6) << "what is sound is taken";
    EXPECT_EQ(store_->Read(kRun, 6).status().code(), absl::StatusCode::kNotFound);
  }
  ASSERT_TRUE(store_->Append(kRun, {{6, 6, 6, 6, 6, Share(Record(6))}}, true).ok());
}

TEST_F(JournalRecovery, TakesAGapForTheRecordsThatItStandsFor) {
  ASSERT_TRUE(Open().ok());
  Fill(kRun, 5);
  std::string gap;
  EncodeLine(GapRecord(6, 1000, v1::GAP_REASON_DROPPED, 1), &gap);
  LeaveJournal(Frame(kRun, 6, 1000, gap));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(store_->GetExtent(kRun)->last, 1000);
  const auto batch = store_->Read(kRun, 500);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(*batch->bytes, gap);
}

TEST_F(JournalRecovery, GoesOnWithTheOtherRunsWhereOneIsWrong) {
  ASSERT_TRUE(Open().ok());
  Fill(kRun, 5);
  Fill(kOtherRun, 5);
  LeaveJournal(Frame(kRun, 0, 6, Record(6)) + Frame(kRun, 3, 3, Record(3)) +
               Frame("00000000-0000-0000-0000-000000000000", 1, 1, Record(1)) +
               Frame(kRun, 8, 8, Record(8)) + Frame(kOtherRun, 6, 6, Record(6)));
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(store_->GetExtent(kRun)->last, 5);
  EXPECT_EQ(store_->GetExtent(kOtherRun)->last, 6);
}

// Both halves in use, and a server that has another idea of how large they are.
TEST_F(JournalRecovery, ReadsBothHalvesWhateverTheSizeIs) {
  for (const size_t left : {size_t{64} << 10, size_t{1} << 20}) {
    for (const size_t opened : {size_t{32} << 10, size_t{512} << 10, size_t{8} << 20}) {
      SCOPED_TRACE(absl::StrCat(left, " ", opened));
      const TemporaryDirectory directory;
      const RocksDbOptions options{.directory = directory.path(), .sync_interval = absl::Hours(1)};
      auto store = *JournaledStore::Open(options, {.bytes = left});
      storage::v1::StoredRun put;
      put.mutable_run()->set_id(kRun);
      ASSERT_TRUE(store->PutRun(put).ok());
      int64_t last = 0;
      for (; store->database()->GetExtent(kRun)->last == 0 && last < 1200; ++last) {
        const int64_t next = last + 1;
        ASSERT_TRUE(store->Append(kRun, {{next, next, 1, 1, 1, Share(Record(next))}}, false).ok());
      }
      const TemporaryDirectory killed;
      std::filesystem::copy(directory.path(), killed.path());
      store = *JournaledStore::Open({.directory = killed.path()}, {.bytes = opened});
      EXPECT_EQ(store->GetExtent(kRun)->last, last);
      EXPECT_EQ(store->database()->GetExtent(kRun)->last, last);
    }
  }
}

// Nor of one that is not the server's own: not even of what can be read through it.
TEST_F(JournalRecovery, TakesNoFileThatALinkLeadsTo) {
  ASSERT_TRUE(Open().ok());
  Fill(kRun, 3);
  store_.reset();
  const std::string journal = directory_.path() + "/journal";
  const std::string elsewhere = directory_.path() + "/elsewhere";
  std::filesystem::rename(journal, elsewhere);
  const auto size = std::filesystem::file_size(elsewhere);
  std::filesystem::create_symlink(elsewhere, journal);
  EXPECT_EQ(Open().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::filesystem::file_size(elsewhere), size);
  std::filesystem::remove(journal);
  std::filesystem::create_hard_link(elsewhere, journal);
  EXPECT_EQ(Open().code(), absl::StatusCode::kUnavailable);
  std::filesystem::remove(journal);
  ASSERT_EQ(mkfifo(journal.c_str(), 0600), 0);
  EXPECT_EQ(Open().code(), absl::StatusCode::kUnavailable) << "and nobody waits for a writer";
  std::filesystem::remove(journal);
  std::filesystem::rename(elsewhere, journal);
  EXPECT_TRUE(Open().ok());
}

}  // namespace
}  // namespace jobtail
