// The promises of LogStore as tests, for every implementation.

#include "tests/server/store/log_store_conformance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/lz4_block.h"
#include "server/log/record.h"
#include "tests/server/support/records.h"
#include "tests/server/support/stored_runs.h"

namespace jobtail {

using ::testing::ElementsAre;

std::string LogStoreConformance::AddRun(const std::string& id) {
  storage::v1::StoredRun run;
  run.mutable_run()->set_id(id);
  EXPECT_TRUE(store().PutRun(run).ok());
  return id;
}

Batch LogStoreConformance::MakeBatch(int64_t first, int64_t last, int64_t last_time) {
  std::string bytes;
  for (int64_t i = first; i <= last; ++i) {
    EncodeLine(i, last_time, testing::Out(absl::StrCat("record ", i)), &bytes);
  }
  return {first, last, last_time, 10 * last, 100 * last, Share(std::move(bytes))};
}

void LogStoreConformance::Fill(const std::string& run, int64_t size, int64_t last) {
  for (int64_t first = 1; first <= last; first += size) {
    const Batch batch = MakeBatch(first, std::min(first + size - 1, last));
    ASSERT_TRUE(store().Append(run, {batch}, /*sync=*/false).ok());
  }
}

namespace {

// Each implementation's own test file instantiates the suite.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LogStoreConformance);

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kHole = absl::StatusCode::kFailedPrecondition;

void ExpectExtent(LogStore& store, const std::string& run, int64_t first, int64_t last) {
  const absl::StatusOr<LogExtent> extent = store.GetExtent(run);
  ASSERT_TRUE(extent.ok()) << extent.status();
  EXPECT_EQ(extent->first, first);
  EXPECT_EQ(extent->last, last);
}

void ExpectBatch(const absl::StatusOr<Batch>& batch, const Batch& expected) {
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->first, expected.first);
  EXPECT_EQ(batch->last, expected.last);
  EXPECT_EQ(batch->last_time_unix_nanos, expected.last_time_unix_nanos);
  EXPECT_EQ(batch->total_lines, expected.total_lines);
  EXPECT_EQ(batch->total_bytes, expected.total_bytes);
  EXPECT_EQ(*batch->bytes, *expected.bytes);
}

TEST_P(LogStoreConformance, KnowsNothingOfARunThatWasNotPut) {
  EXPECT_EQ(store().Append(kRun, {MakeBatch(1, 1)}, false).code(), kNotFound);
  EXPECT_EQ(store().GetExtent(kRun).status().code(), kNotFound);
  EXPECT_EQ(store().Read(kRun, 1).status().code(), kNotFound);
  EXPECT_EQ(store().FindTime(kRun, 0).status().code(), kNotFound);
  EXPECT_EQ(store().DeleteRun(kRun).code(), kNotFound);
  EXPECT_EQ(store().GetRun(kRun).status().code(), kNotFound);
  EXPECT_THAT(*testing::LoadRuns(store()), ElementsAre());
}

TEST_P(LogStoreConformance, GivesANewRunAnEmptyLog) {
  AddRun();
  ExpectExtent(store(), kRun, 1, 0);
  EXPECT_EQ(store().Read(kRun, 1).status().code(), kNotFound);
  EXPECT_EQ(store().FindTime(kRun, 0).status().code(), kNotFound);
}

TEST_P(LogStoreConformance, ReplacesWhatIsKnownOfARunAndKeepsItsLog) {
  AddRun();
  Fill(kRun, 1, 3);
  storage::v1::StoredRun run;
  run.mutable_run()->set_id(kRun);
  run.mutable_run()->set_job("job");
  run.mutable_run()->set_state(v1::RUN_STATE_RUNNING);
  run.set_request_id("request");
  (*run.mutable_request_parameters())["name"] = "value";
  ASSERT_TRUE(store().PutRun(run).ok());
  const auto runs = testing::LoadRuns(store());
  ASSERT_TRUE(runs.ok());
  ASSERT_EQ(runs->size(), 1);
  EXPECT_EQ(runs->front().DebugString(), run.DebugString());
  EXPECT_EQ(store().GetRun(kRun)->DebugString(), run.DebugString());
  ExpectExtent(store(), kRun, 1, 3);
}

TEST_P(LogStoreConformance, LoadsTheRunsOldestFirst) {
  std::vector<std::string> ids;
  for (int i = 10; i < 30; ++i)
    ids.push_back(absl::StrCat("019a7b3c-00", i, "-7000-8000-000000000001"));
  std::vector<std::string> shuffled = ids;
  std::reverse(shuffled.begin(), shuffled.end());
  std::rotate(shuffled.begin(), shuffled.begin() + 7, shuffled.end());
  for (const std::string& id : shuffled) AddRun(id);
  std::vector<std::string> loaded;
  const auto runs = testing::LoadRuns(store());
  ASSERT_TRUE(runs.ok());
  for (const auto& run : *runs) loaded.push_back(run.run().id());
  EXPECT_EQ(loaded, ids);
}

// More than a store has in memory at a time.
TEST_P(LogStoreConformance, LoadsRunsThatAreLarge) {
  std::vector<std::string> ids;
  for (int i = 10; i < 30; ++i) {
    storage::v1::StoredRun run;
    run.mutable_run()->set_id(
        ids.emplace_back(absl::StrCat("019a7b3c-00", i, "-7000-8000-000000000001")));
    (*run.mutable_run()->mutable_parameters())["large"] = std::string(300'000, 'x');
    ASSERT_TRUE(store().PutRun(run).ok());
  }
  std::vector<std::string> loaded;
  const absl::Status status = store().ForEachRun([&](storage::v1::StoredRun run) {
    EXPECT_EQ(run.run().parameters().at("large").size(), 300'000);
    EXPECT_TRUE(store().PutRun(run).ok()) << "the store may be called meanwhile";
    loaded.push_back(run.run().id());
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(loaded, ids);
}

TEST_P(LogStoreConformance, ReadsTheBatchThatContainsASequence) {
  AddRun();
  const std::vector<Batch> batches = {MakeBatch(1, 1, 10), MakeBatch(2, 5, 20), MakeBatch(6, 6, 20),
                                      MakeBatch(7, 30, 40)};
  ASSERT_TRUE(store().Append(kRun, {batches[0]}, false).ok());
  ASSERT_TRUE(store().Append(kRun, {batches[1], batches[2]}, false).ok());
  ASSERT_TRUE(store().Append(kRun, {batches[3]}, true).ok());
  ExpectExtent(store(), kRun, 1, 30);
  for (const Batch& batch : batches) {
    for (int64_t sequence = batch.first; sequence <= batch.last; ++sequence) {
      SCOPED_TRACE(sequence);
      ExpectBatch(store().Read(kRun, sequence), batch);
    }
  }
}

TEST_P(LogStoreConformance, HasABatchCompressedOrNotAtAll) {
  AddRun();
  Batch batch = MakeBatch(1, 3000);
  Lz4Encoder encoder;
  batch.compressed = Share(std::string(encoder.Encode(*batch.bytes)));
  const Batch small = MakeBatch(3001, 3001);
  ASSERT_TRUE(store().Append(kRun, {batch, small}, /*sync=*/false).ok());
  const auto read = store().ReadCompressed(kRun, 1);
  EXPECT_EQ(read.has_value(), store().keeps_compressed());
  if (read) {
    EXPECT_EQ(read->last, 3000);
    std::string bytes(read->size, '\0');
    ASSERT_TRUE(DecodeLz4(*read->block, bytes.data(), bytes.size()));
    EXPECT_EQ(bytes, *batch.bytes);
  }
  EXPECT_EQ(*store().Read(kRun, 5)->bytes, *batch.bytes) << "whatever it is stored as";
  EXPECT_FALSE(store().ReadCompressed(kRun, 2)) << "where no batch begins";
  EXPECT_FALSE(store().ReadCompressed(kRun, 3001)) << "which is small";
  EXPECT_FALSE(store().ReadCompressed(kRun, 3002));
  EXPECT_FALSE(store().ReadCompressed(kOtherRun, 1));
  EXPECT_FALSE(store().ReadCompressed("none", 1));
  ASSERT_TRUE(store().Trim(kRun, 3001).ok());
  EXPECT_FALSE(store().ReadCompressed(kRun, 1)) << "which was deleted";
}

TEST_P(LogStoreConformance, KeepsItsOrderBeyondEveryByteOfTheNumber) {
  AddRun();
  constexpr int64_t kLast = 70'000;
  Fill(kRun, 100, kLast);
  ExpectExtent(store(), kRun, 1, kLast);
  for (const int64_t sequence : {1, 100, 101, 255, 256, 257, 65'535, 65'536, 65'537, 70'000}) {
    SCOPED_TRACE(sequence);
    const int64_t first = (sequence - 1) / 100 * 100 + 1;
    ExpectBatch(store().Read(kRun, sequence), MakeBatch(first, first + 99));
    ExpectBatch(store().ReadOnce(kRun, sequence), MakeBatch(first, first + 99));
  }
}

TEST_P(LogStoreConformance, HasNoRecordPastTheLog) {
  AddRun();
  Fill(kRun, 5, 10);
  for (const int64_t sequence : {int64_t{11}, int64_t{1} << 62}) {
    EXPECT_EQ(store().Read(kRun, sequence).status().code(), kNotFound) << sequence;
    EXPECT_EQ(store().ReadOnce(kRun, sequence).status().code(), kNotFound) << sequence;
  }
}

TEST_P(LogStoreConformance, ReadsTheFirstBatchInPlaceOfWhatComesBeforeIt) {
  AddRun();
  Fill(kRun, 5, 10);
  ExpectBatch(store().Read(kRun, 0), MakeBatch(1, 5));
  ExpectBatch(store().Read(kRun, -1), MakeBatch(1, 5));
}

TEST_P(LogStoreConformance, TellsTheExtentOfALogInRecordsAndBytes) {
  AddRun();
  const std::vector<Batch> batches = {MakeBatch(1, 3, 7), MakeBatch(4, 9, 8)};
  ASSERT_TRUE(store().Append(kRun, batches, false).ok());
  const LogExtent extent = *store().GetExtent(kRun);
  EXPECT_EQ(extent.bytes, batches[0].bytes->size() + batches[1].bytes->size());
  EXPECT_EQ(extent.last_time_unix_nanos, 8);
  EXPECT_EQ(extent.total_lines, 90);
  EXPECT_EQ(extent.total_bytes, 900);
}

TEST_P(LogStoreConformance, FindsWhereTheLastBytesOfALogBegin) {
  AddRun();
  EXPECT_EQ(store().FindBytes(kRun, 100).status().code(), kNotFound);
  Fill(kRun, 10, 1000);
  int64_t bytes = 0;
  for (int64_t first = 991; first > 0; first -= 10) {
    SCOPED_TRACE(first);
    bytes += static_cast<int64_t>(MakeBatch(first, first + 9).bytes->size());
    EXPECT_EQ(*store().FindBytes(kRun, bytes), first);
    EXPECT_EQ(*store().FindBytes(kRun, bytes + 1), first);
    EXPECT_EQ(*store().FindBytes(kRun, bytes - 1), std::min<int64_t>(first + 10, 991));
  }
  EXPECT_EQ(*store().FindBytes(kRun, 0), 991) << "the last batch is kept, however large";
}

TEST_P(LogStoreConformance, TrimsTheBeginningOfALogAndGoesOnFromThere) {
  AddRun(kRun);
  AddRun(kOtherRun);
  Fill(kRun, 10, 10'000);
  Fill(kOtherRun, 10, 100);
  const int64_t before = store().GetExtent(kRun)->bytes;
  for (const int64_t first : {11, 31, 9'001}) {
    SCOPED_TRACE(first);
    ASSERT_TRUE(store().Trim(kRun, first).ok());
    ExpectExtent(store(), kRun, first, 10'000);
    ExpectBatch(store().Read(kRun, 1), MakeBatch(first, first + 9));
    ExpectBatch(store().Read(kRun, first), MakeBatch(first, first + 9));
    ExpectBatch(store().FindTime(kRun, 0), MakeBatch(first, first + 9));
  }
  int64_t left = 0;
  for (int64_t first = 9'001; first < 10'000; first += 10) {
    left += static_cast<int64_t>(MakeBatch(first, first + 9).bytes->size());
  }
  EXPECT_EQ(store().GetExtent(kRun)->bytes, left);
  EXPECT_GT(before, left);
  EXPECT_TRUE(store().Append(kRun, {MakeBatch(10'001, 10'001)}, false).ok());
  ExpectExtent(store(), kRun, 9'001, 10'001);
  ExpectExtent(store(), kOtherRun, 1, 100);
}

TEST_P(LogStoreConformance, IsHealthy) { EXPECT_TRUE(store().CheckHealth().ok()); }

TEST_P(LogStoreConformance, TakesNothingThatWouldLeaveAHole) {
  AddRun();
  EXPECT_EQ(store().Append(kRun, {MakeBatch(2, 3)}, false).code(), kHole) << "at the beginning";
  EXPECT_EQ(store().Append(kRun, {MakeBatch(0, 3)}, false).code(), kHole) << "before it";
  ExpectExtent(store(), kRun, 1, 0);
  Fill(kRun, 5, 10);
  const Batch next = MakeBatch(11, 12);
  EXPECT_EQ(store().Append(kRun, {MakeBatch(12, 13)}, false).code(), kHole) << "one too far";
  EXPECT_EQ(store().Append(kRun, {MakeBatch(10, 13)}, false).code(), kHole) << "one twice";
  EXPECT_EQ(store().Append(kRun, {MakeBatch(11, 10)}, false).code(), kHole) << "no record";
  EXPECT_EQ(store().Append(kRun, {next, MakeBatch(14, 15)}, false).code(), kHole) << "inside";
  EXPECT_EQ(store().Append(kRun, {next, MakeBatch(12, 15)}, false).code(), kHole) << "overlapping";
  EXPECT_EQ(store().Append(kRun, {next, next}, true).code(), kHole) << "the same twice";
  ExpectExtent(store(), kRun, 1, 10);
  EXPECT_EQ(store().Read(kRun, 11).status().code(), kNotFound);
  EXPECT_TRUE(store().Append(kRun, {next}, false).ok()) << "what fits is welcome afterwards";
  ExpectExtent(store(), kRun, 1, 12);
}

TEST_P(LogStoreConformance, TakesBatchesOfAnyBytesAndOfMoreThanItIsGiven) {
  AddRun();
  std::string bytes(2 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7919 >> 3);
  const Batch batch{1, 9, 5, 0, 0, Share(bytes)};
  const Batch small{10, 10, 5, 0, 0, Share(std::string(4, '\0'))};
  ASSERT_TRUE(store().Append(kRun, {batch, small}, false).ok());
  ExpectBatch(store().Read(kRun, 9), batch);
  ExpectBatch(store().Read(kRun, 10), small);
}

TEST_P(LogStoreConformance, AppendingNothingChangesNothing) {
  AddRun();
  EXPECT_TRUE(store().Append(kRun, {}, false).ok());
  ExpectExtent(store(), kRun, 1, 0);
}

TEST_P(LogStoreConformance, FindsTheFirstBatchThatEndsAtATimeOrLater) {
  AddRun();
  const std::vector<Batch> batches = {MakeBatch(1, 2, -5), MakeBatch(3, 4, 10), MakeBatch(5, 6, 10),
                                      MakeBatch(7, 8, 300)};
  ASSERT_TRUE(store().Append(kRun, batches, false).ok());
  ExpectBatch(store().FindTime(kRun, -100), batches[0]);
  ExpectBatch(store().FindTime(kRun, -5), batches[0]);
  ExpectBatch(store().FindTime(kRun, -4), batches[1]);
  ExpectBatch(store().FindTime(kRun, 10), batches[1]);
  ExpectBatch(store().FindTime(kRun, 11), batches[3]);
  ExpectBatch(store().FindTime(kRun, 300), batches[3]);
  EXPECT_EQ(store().FindTime(kRun, 301).status().code(), kNotFound);
}

TEST_P(LogStoreConformance, DeletesARunWithItsLogAndNoOther) {
  AddRun(kRun);
  AddRun(kOtherRun);
  Fill(kRun, 2, 10);
  Fill(kOtherRun, 2, 6);
  ASSERT_TRUE(store().DeleteRun(kRun).ok());
  EXPECT_EQ(store().Read(kRun, 1).status().code(), kNotFound);
  EXPECT_EQ(store().GetExtent(kRun).status().code(), kNotFound);
  EXPECT_EQ(store().DeleteRun(kRun).code(), kNotFound);
  EXPECT_EQ(testing::LoadRuns(store())->size(), 1);
  ExpectExtent(store(), kOtherRun, 1, 6);
  AddRun(kRun);
  ExpectExtent(store(), kRun, 1, 0);
  EXPECT_EQ(store().FindTime(kRun, 0).status().code(), kNotFound);
}

TEST_P(LogStoreConformance, DeletesManyRunsAtOnceAndNoOther) {
  std::vector<std::string> ids;
  for (int i = 100; i < 200; ++i) {
    ids.push_back(AddRun(absl::StrCat("019a7b3c-0", i, "-7000-8000-000000000001")));
    Fill(ids.back(), 2, i == 150 ? 1000 : 4);
  }
  const std::vector<std::string> kept = {ids[7], ids[60], ids[99]};
  std::vector<std::string> deleted;
  std::set_difference(ids.begin(), ids.end(), kept.begin(), kept.end(),
                      std::back_inserter(deleted));
  std::reverse(deleted.begin(), deleted.end());
  deleted.push_back("019a7b3c-0000-7000-8000-00000000dead");  // is not there
  EXPECT_TRUE(store().DeleteRuns(deleted).ok());
  EXPECT_TRUE(store().DeleteRuns(deleted).ok()) << "may be given again";
  EXPECT_TRUE(store().DeleteRuns({}).ok());
  EXPECT_EQ(testing::LoadRuns(store())->size(), kept.size());
  for (const std::string& run : kept) ExpectExtent(store(), run, 1, 4);
  EXPECT_EQ(store().GetExtent(deleted[0]).status().code(), kNotFound);
  EXPECT_EQ(store().Read(deleted[0], 1).status().code(), kNotFound);
  AddRun(deleted[0]);
  ExpectExtent(store(), deleted[0], 1, 0);
}

TEST_P(LogStoreConformance, KnowsTheEndOfALogThatWasSyncedAndGoesOn) {
  AddRun();
  for (int64_t sequence = 1; sequence <= 5; ++sequence) {
    ASSERT_TRUE(store().Append(kRun, {MakeBatch(sequence, sequence)}, sequence % 2 == 0).ok());
    ExpectExtent(store(), kRun, 1, sequence);
  }
}

TEST_P(LogStoreConformance, KeepsTheLogsOfManyRunsApartWhileTheyGrow) {
  constexpr int kRuns = 8;
  constexpr int64_t kLast = 200;
  const auto id = [](int run) { return absl::StrCat("019a7b3c-0000-7000-8000-00000000000", run); };
  {
    std::vector<std::jthread> threads;
    for (int run = 0; run < kRuns; ++run) {
      threads.emplace_back([&, run] {
        AddRun(id(run));
        Fill(id(run), run + 1, kLast);
      });
    }
  }
  for (int run = 0; run < kRuns; ++run) {
    SCOPED_TRACE(run);
    ExpectExtent(store(), id(run), 1, kLast);
    const int64_t size = run + 1;
    for (int64_t first = 1; first <= kLast; first += size) {
      ExpectBatch(store().Read(id(run), first),
                  MakeBatch(first, std::min(first + size - 1, kLast)));
    }
  }
}

TEST_P(LogStoreConformance, ShowsReadersEveryRecordThatItHasTakenWhileTheLogGrows) {
  constexpr int64_t kLast = 2000;
  AddRun();
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      int64_t next = 1;
      while (next <= kLast) {
        const int64_t last = store().GetExtent(kRun)->last;
        while (next <= last) {
          const absl::StatusOr<Batch> batch = store().Read(kRun, next);
          ASSERT_TRUE(batch.ok()) << batch.status();
          ASSERT_EQ(batch->first, next);
          ExpectBatch(batch, MakeBatch(batch->first, batch->last));
          next = batch->last + 1;
        }
      }
    });
  }
  for (int64_t first = 1; first <= kLast; first += 4) {
    ASSERT_TRUE(
        store()
            .Append(kRun, {MakeBatch(first, first + 2), MakeBatch(first + 3, first + 3)}, false)
            .ok());
  }
}

}  // namespace
}  // namespace jobtail
