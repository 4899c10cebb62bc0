// Data directories of other formats: what an older server has left is read whole, and what a newer
// one has left is refused and stays as it is. testdata/ has a directory of each format.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "server/store/journaled_store.h"
#include "server/store/store_keys.h"
#include "tests/server/support/raw_database.h"
#include "tests/server/support/records.h"
#include "tests/server/support/stored_runs.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

// What each directory in testdata/ has: a run that has ended, one whose server was killed while the
// journal had some of its lines, and one of which retention has deleted the beginning.
constexpr char kEnded[] = "019a7b3c-0000-7000-8000-00000000000a";
constexpr char kKilled[] = "019a7b3c-0000-7000-8000-00000000000b";
constexpr char kTrimmed[] = "019a7b3c-0000-7000-8000-00000000000c";
constexpr int64_t kTime = 1'800'000'000'000'000'000;

constexpr int64_t kInBatches = 300;
constexpr int64_t kGapEnd = 400;
constexpr int64_t kNoise = 402;
constexpr int64_t kResult = 403;
constexpr int64_t kInDatabase = 50;
constexpr int64_t kInJournal = 120;
constexpr int64_t kTrimmedFirst = 101;
constexpr int64_t kTrimmedLast = 500;

// Text that does not shrink, always the same.
std::string Noise(int64_t seed, size_t size) {
  auto state = static_cast<uint64_t>(seed) * 2654435761 + 1;
  std::string text;
  while (text.size() < size) {
    state = state * 6364136223846793005 + 1442695040888963407;
    text.push_back(static_cast<char>('!' + (state >> 33) % 90));
  }
  return text;
}

std::string TextOf(const std::string& run, int64_t sequence) {
  if (run == kKilled) return absl::StrCat(sequence, " ", Noise(sequence, 500));
  if (run == kEnded && sequence == kNoise) return Noise(sequence, 5000);
  return absl::StrCat("line ", sequence, " of run ", run);
}

Batch Lines(const std::string& run, int64_t first, int64_t last) {
  std::string bytes;
  for (int64_t i = first; i <= last; ++i) {
    EncodeLine(i, kTime + i, testing::Out(TextOf(run, i)), &bytes);
  }
  return {first, last, kTime + last, last, 100 * last, Share(std::move(bytes))};
}

void Put(LogStore* store, const std::string& run, v1::RunState state) {
  storage::v1::StoredRun put;
  put.mutable_run()->set_id(run);
  put.mutable_run()->set_job("job");
  put.mutable_run()->set_state(state);
  put.set_request_id(absl::StrCat("request for ", run));
  ASSERT_TRUE(store->PutRun(put).ok());
}

void Fill(JournaledStore* store) {
  const auto append = [store](const std::string& run, const Batch& batch, bool sync) {
    ASSERT_TRUE(store->Append(run, {batch}, sync).ok());
  };
  Put(store, kEnded, v1::RUN_STATE_SUCCEEDED);
  for (int64_t i = 1; i < kInBatches; i += 100) append(kEnded, Lines(kEnded, i, i + 99), true);
  std::string gap;
  EncodeLine(GapRecord(kInBatches + 1, kGapEnd, v1::GAP_REASON_DROPPED, kTime + kGapEnd), &gap);
  gap += *Lines(kEnded, kGapEnd + 1, kGapEnd + 1).bytes;
  append(kEnded, {kInBatches + 1, kGapEnd + 1, kTime + kGapEnd + 1, kGapEnd, kGapEnd, Share(gap)},
         true);
  append(kEnded, Lines(kEnded, kNoise, kNoise), true);
  v1::RunResult result;
  result.set_state(v1::RUN_STATE_SUCCEEDED);
  std::string end;
  EncodeLine(ResultRecord(kResult, result, kTime + kResult), &end);
  append(kEnded, {kResult, kResult, kTime + kResult, kResult, kResult, Share(end)}, true);
  ASSERT_TRUE(store->database()->Flush().ok());

  Put(store, kTrimmed, v1::RUN_STATE_RUNNING);
  for (int64_t i = 1; i < kTrimmedLast; i += 50) append(kTrimmed, Lines(kTrimmed, i, i + 49), true);
  ASSERT_TRUE(store->Trim(kTrimmed, kTrimmedFirst).ok());

  Put(store, kKilled, v1::RUN_STATE_RUNNING);
  append(kKilled, Lines(kKilled, 1, kInDatabase), true);
  for (int64_t i = kInDatabase + 1; i <= kInJournal; ++i)
    append(kKilled, Lines(kKilled, i, i), false);
}

// Makes such a directory of the present format, once there is a new one:
// JOBTAIL_FIXTURE=tests/server/store/testdata/format-N server_store_test
// --gtest_filter=*MakesAFixture
// --gtest_also_run_disabled_tests
TEST(FormatFixture, DISABLED_MakesAFixture) {
  const char* const target = getenv("JOBTAIL_FIXTURE");
  ASSERT_NE(target, nullptr);
  TemporaryDirectory directory;
  const auto store = JournaledStore::Open(
      {.directory = directory.path(), .sync_interval = absl::Hours(1)}, {.bytes = 64 << 10});
  ASSERT_TRUE(store.ok()) << store.status();
  Fill(store->get());
  EXPECT_EQ((*store)->database()->GetExtent(kKilled)->last, kInDatabase);
  fs::copy(directory.path(), target);  // as a server leaves it that is killed
  fs::remove(fs::path(target) / "LOCK");
}

std::map<std::string, std::string> FilesIn(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& file : fs::recursive_directory_iterator(directory)) {
    std::ifstream stream(file.path(), std::ios::binary);
    files[file.path()] = {std::istreambuf_iterator<char>(stream), {}};
  }
  return files;
}

class Format : public ::testing::Test {
 protected:
  // A copy of the directory in testdata/.
  void Take(const std::string& fixture) {
    fs::copy(absl::StrCat(JOBTAIL_TESTDATA "/", fixture), directory_.path());
  }

  absl::Status Open() {
    store_.reset();
    auto store = JournaledStore::Open({.directory = directory_.path()});
    if (!store.ok()) return store.status();
    store_ = *std::move(store);
    return absl::OkStatus();
  }

  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary | std::ios::trunc) << text;
  }

  void ExpectRefusal(absl::StatusCode code, const std::string& text) {
    const auto before = FilesIn(directory_.path());
    const absl::Status status = Open();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(text));
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(directory_.path()));
    EXPECT_EQ(FilesIn(directory_.path()), before) << "something has been changed";
  }

  // The run's records from `first` to `last`, each as Fill made it.
  void ExpectLines(const std::string& run, int64_t first, int64_t last) {
    for (int64_t next = first; next <= last;) {
      const auto batch = store_->Read(run, next);
      ASSERT_TRUE(batch.ok()) << batch.status() << " at " << next;
      for (const v1::LogLine& line : testing::Decode(*batch->bytes)) {
        if (line.sequence() < next) continue;
        if (line.has_gap()) {
          ASSERT_EQ(line.gap().first(), next);
        } else if (!line.has_result()) {
          ASSERT_EQ(line.sequence(), next);
          ASSERT_EQ(line.text(), TextOf(run, next));
        }
        next = line.sequence() + 1;
      }
      if (batch->last >= last) {
        EXPECT_EQ(batch->last, last);
      }
    }
    const absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
    ASSERT_TRUE(extent.ok()) << extent.status();
    EXPECT_EQ(extent->first, first);
    EXPECT_EQ(extent->last, last);
    EXPECT_EQ(extent->last_time_unix_nanos, kTime + last);
    EXPECT_EQ(extent->total_lines, last);
  }

  void ExpectEverything() {
    const auto runs = testing::LoadRuns(*store_);
    ASSERT_TRUE(runs.ok()) << runs.status();
    ASSERT_EQ(runs->size(), 3);
    EXPECT_EQ(runs->at(0).run().id(), kEnded);
    EXPECT_EQ(runs->at(0).run().state(), v1::RUN_STATE_SUCCEEDED);
    EXPECT_EQ(runs->at(2).request_id(), absl::StrCat("request for ", kTrimmed));
    ExpectLines(kEnded, 1, kResult);
    ExpectLines(kKilled, 1, kInJournal);
    ExpectLines(kTrimmed, kTrimmedFirst, kTrimmedLast);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<JournaledStore> store_;
};

class EachFormat : public Format, public ::testing::WithParamInterface<int> {};

TEST_P(EachFormat, IsReadWholeAndGoesOn) {
  Take(absl::StrCat("format-", GetParam()));
  ASSERT_EQ(fs::exists(Path("FORMAT")), GetParam() > 1);
  const absl::Status opened = Open();
  ASSERT_TRUE(opened.ok()) << opened;
  ExpectEverything();
  EXPECT_EQ(*store_->FindBytes(kEnded, 1), kResult);
  EXPECT_EQ(store_->FindTime(kTrimmed, kTime + 300)->first, 251);
  ASSERT_TRUE(store_->Append(kKilled, {Lines(kKilled, kInJournal + 1, 200)}, true).ok());
  for (int restart = 0; restart < 2; ++restart) {
    ASSERT_TRUE(Open().ok());
    ExpectLines(kKilled, 1, 200);
    ExpectLines(kEnded, 1, kResult);
  }
}

INSTANTIATE_TEST_SUITE_P(Up, EachFormat, ::testing::Values(1, 2));

TEST_F(Format, IsNotedInTheDirectory) {
  ASSERT_TRUE(Open().ok());
  store_.reset();
  EXPECT_EQ(FilesIn(directory_.path()).at(Path("FORMAT")), "jobtail data directory, format 2\n");
  EXPECT_TRUE(Open().ok());
}

TEST_F(Format, OfANewerServerIsRefusedAndLeftAsItIs) {
  ASSERT_TRUE(Open().ok());
  store_.reset();
  Write("FORMAT", "jobtail data directory, format 3\n");
  ExpectRefusal(absl::StatusCode::kFailedPrecondition, "format 3; this one reads formats 1 to 2");
  fs::remove(Path("journal"));
  ExpectRefusal(absl::StatusCode::kFailedPrecondition, "start the newer server");
  Write("FORMAT", "jobtail data directory, format 2\n");
  EXPECT_TRUE(Open().ok());
}

TEST_F(Format, ThatCannotBeReadIsSaidAndLeftAsItIs) {
  ASSERT_TRUE(Open().ok());
  store_.reset();
  for (const std::string text :
       {"", "\n", "2", "jobtail data directory, format \n", "jobtail data directory, format -1\n",
        "jobtail data directory, format 2 or so\n"}) {
    Write("FORMAT", text);
    ExpectRefusal(absl::StatusCode::kDataLoss, "FORMAT");
  }
}

// A family that only newer servers know, and no word of it in FORMAT: as servers of format 1 see
// what this one has written.
TEST_F(Format, WithAnUnknownColumnFamilyIsRefused) {
  ASSERT_TRUE(Open().ok());
  store_.reset();
  testing::AddColumnFamily(directory_.path(), "of-a-newer-server");
  const absl::Status status = Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("newer server"));
}

// Numbers may be added to the end of an entry: they cost nothing, and change nothing.
TEST_F(Format, TakesIndexEntriesThatHaveMoreToSay) {
  ASSERT_TRUE(Open().ok());
  Put(store_.get(), kEnded, v1::RUN_STATE_SUCCEEDED);
  ASSERT_TRUE(store_->Append(kEnded, {Lines(kEnded, 1, 10)}, true).ok());
  store_.reset();
  const IndexEntry entry = MakeIndexEntry(Lines(kEnded, 1, 10), 0);
  testing::PutIndexValues(directory_.path(), {{BatchKey(*RunKey(kEnded), 1),
                                               EncodeIndexEntry(entry) + std::string(8, '\7')}});
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(store_->GetExtent(kEnded)->total_lines, 10) << "the batch itself does not know";
  ExpectLines(kEnded, 1, 10);
}

}  // namespace
}  // namespace jobtail
