// Data directories of other formats: what an older server has left is read whole, and what a newer
// one has left is refused and stays as it is. testdata/ has a directory of each older format.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/journaled_store.h"
#include "server/log/record.h"
#include "tests/server/support/records.h"
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
  append(kEnded,
         {kInBatches + 1, kGapEnd + 1, kTime + kGapEnd + 1, kGapEnd, kGapEnd, Share(gap)}, true);
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
  for (int64_t i = kInDatabase + 1; i <= kInJournal; ++i) append(kKilled, Lines(kKilled, i, i), false);
}

// Makes such a directory of the present format, for the servers to come:
// JOBTAIL_FIXTURE=tests/server/log/testdata/format-N server_log_test --gtest_filter=*MakesAFixture
// --gtest_also_run_disabled_tests
TEST(Format, DISABLED_MakesAFixture) {
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

}  // namespace
}  // namespace jobtail
