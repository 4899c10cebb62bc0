// Tests of what the metered store counts, and counts once.

#include "server/metrics/metered_store.h"

#include <gmock/gmock.h>
#include <prometheus/text_serializer.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "server/store/memory_store.h"
#include "tests/server/store/log_store_conformance.h"
#include "tests/server/support/faulty_store.h"
#include "tests/server/support/records.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;

struct Owned {
  MemoryStore memory;
  prometheus::Registry registry;
};

class OwnedMeteredStore : private Owned, public MeteredStore {
 public:
  OwnedMeteredStore() : MeteredStore(&memory, &registry) {}
};

INSTANTIATE_TEST_SUITE_P(Metered, LogStoreConformance, ::testing::Values(StoreUnderTest{[] {
                           return std::unique_ptr<LogStore>(new OwnedMeteredStore);
                         }}));

class MeteredStoreTest : public ::testing::Test {
 protected:
  MeteredStoreTest() { Put("run", v1::RUN_STATE_RUNNING); }

  void Put(const std::string& id, v1::RunState state) {
    storage::v1::StoredRun run;
    run.mutable_run()->set_id(id);
    run.mutable_run()->set_state(state);
    if (state == v1::RUN_STATE_SUCCEEDED) run.mutable_run()->mutable_result()->set_state(state);
    ASSERT_TRUE(store_.PutRun(run).ok());
  }

  // A batch of those lines, whose bytes and number the job has printed up to there.
  absl::Status Append(int64_t first, const std::vector<std::string>& texts, int64_t total_lines,
                      int64_t total_bytes) {
    std::string bytes;
    int64_t sequence = first;
    for (const std::string& text : texts) {
      EncodeLine(sequence++, 1, testing::Out(text), &bytes);
    }
    return Append(Batch{first, sequence - 1, 1, total_lines, total_bytes, Share(bytes)});
  }
  absl::Status Append(const Batch& batch) { return store_.Append("run", {batch}, false); }

  std::string Figures() {
    store_.Publish();
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

  MemoryStore memory_;
  testing::FaultyStore faulty_{&memory_};
  prometheus::Registry registry_;
  FakeClock clock_;
  MeteredStore store_{&faulty_, &registry_, &clock_};
};

TEST_F(MeteredStoreTest, CountsLinesAndBytesOnce) {
  ASSERT_TRUE(Append(1, {"a", "b"}, 2, 4).ok());
  ASSERT_TRUE(Append(3, {"c"}, 3, 6).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_lines_total 3\n"));
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_printed_bytes_total 6\n"));
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_batches_total 2\n"));
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_commit_seconds_count 2\n"));
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_commit_seconds_bucket{le=\"10\"} 2\n"));
  ASSERT_TRUE(Append(4, {"d"}, 4, 8).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_batches_total 3\n")) << "and what came before";
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_commit_seconds_count 3\n"));
}

TEST_F(MeteredStoreTest, CountsOfARunTakenOverOnlyWhatIsNew) {
  ASSERT_TRUE(memory_.Append("run", {Batch{1, 5, 1, 5, 50, Share("x")}}, false).ok());
  ASSERT_TRUE(Append(6, {"a"}, 6, 52).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_lines_total 0\n"));
  ASSERT_TRUE(Append(7, {"b"}, 7, 54).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_lines_total 1\n"));
}

TEST_F(MeteredStoreTest, CountsWhatGapsStandFor) {
  for (const char* reason : {"DROPPED", "STORE_FULL"}) {
    EXPECT_THAT(Figures(),
                HasSubstr(std::string("jobtail_missing_records_total{reason=\"GAP_REASON_") +
                          reason + "\"} 0\n"));
  }
  std::string bytes;
  EncodeLine(GapRecord(1, 9, v1::GAP_REASON_DROPPED, 1), &bytes);
  EncodeLine(10, 1, testing::Out("x"), &bytes);
  ASSERT_TRUE(Append(Batch{1, 10, 1, 1, 2, Share(bytes)}).ok());
  EXPECT_THAT(Figures(),
              HasSubstr("\njobtail_missing_records_total{reason=\"GAP_REASON_DROPPED\"} 9\n"));
}

TEST_F(MeteredStoreTest, CountsEachBatchOfSeveralByItself) {
  std::string bytes;
  EncodeLine(3, 1, testing::Out("c"), &bytes);
  EncodeLine(GapRecord(4, 8, v1::GAP_REASON_DROPPED, 1), &bytes);
  std::string first;
  EncodeLine(1, 1, testing::Out("a"), &first);
  EncodeLine(2, 1, testing::Out("b"), &first);
  const std::vector<Batch> batches = {Batch{1, 2, 1, 2, 4, Share(first)},
                                      Batch{3, 8, 1, 3, 6, Share(bytes)}};
  ASSERT_TRUE(store_.Append("run", batches, false).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_lines_total 3\n"));
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_batches_total 2\n"));
  EXPECT_THAT(Figures(),
              HasSubstr("\njobtail_missing_records_total{reason=\"GAP_REASON_DROPPED\"} 5\n"));
}

TEST_F(MeteredStoreTest, CountsWhatManyRunsPrintAtTheSameTime) {
  constexpr int kRuns = 8;
  constexpr int64_t kBatches = 500;
  for (int run = 0; run < kRuns; ++run) Put(absl::StrCat("run", run), v1::RUN_STATE_RUNNING);
  {
    std::vector<std::jthread> threads;
    for (int run = 0; run < kRuns; ++run) {
      threads.emplace_back([this, run] {
        for (int64_t i = 1; i <= kBatches; ++i) {
          const Batch batch{i, i, 1, i, 2 * i, Share("x")};
          EXPECT_TRUE(store_.Append(absl::StrCat("run", run), {batch}, false).ok());
        }
      });
    }
    for (int i = 0; i < 10; ++i) store_.Publish();
  }
  const std::string figures = Figures();
  EXPECT_THAT(figures, HasSubstr("\njobtail_lines_total 4000\n"));
  EXPECT_THAT(figures, HasSubstr("\njobtail_printed_bytes_total 8000\n"));
  EXPECT_THAT(figures, HasSubstr("\njobtail_commit_seconds_count 4000\n"));
}

TEST_F(MeteredStoreTest, CountsWhatTheStoreRefuses) {
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_store_failures_total{code=\"UNAVAILABLE\"} 0\n"));
  faulty_.Fail(testing::FaultyStore::Call::kAppend, absl::UnavailableError("no"), 2);
  EXPECT_FALSE(Append(1, {"a"}, 1, 2).ok());
  EXPECT_FALSE(Append(1, {"a"}, 1, 2).ok());
  EXPECT_TRUE(Append(1, {"a"}, 1, 2).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_store_failures_total{code=\"UNAVAILABLE\"} 2\n"));
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_lines_total 1\n"));
}

TEST_F(MeteredStoreTest, TellsHowLongTheStoreTookByTheServersClock) {
  faulty_.AfterNext(testing::FaultyStore::Call::kAppend,
                    [this] { clock_.Advance(absl::Seconds(2)); });
  ASSERT_TRUE(Append(1, {"a"}, 1, 2).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_commit_seconds_sum 2\n"));
}

class MeteredReadsTest : public MeteredStoreTest {
 protected:
  // Three batches of a line each.
  MeteredReadsTest() {
    for (int64_t i = 1; i <= 3; ++i) EXPECT_TRUE(Append(i, {"a"}, i, 2 * i).ok());
  }

  void ExpectDamaged(int reads) {
    EXPECT_THAT(Figures(), HasSubstr(absl::StrCat("\njobtail_damaged_reads_total ", reads, "\n")));
  }
};

TEST_F(MeteredReadsTest, AreCountedWhereTheyMeetDamage) {
  faulty_.Damage(2, 2);
  EXPECT_EQ(store_.Read("run", 1)->first, 1);
  EXPECT_EQ(store_.Read("run", 3)->first, 3);
  EXPECT_TRUE(absl::IsNotFound(store_.Read("run", 4).status()));
  ExpectDamaged(0);
  EXPECT_EQ(store_.Read("run", 2)->first, 3) << "what the store has behind it";
  ExpectDamaged(1);
  EXPECT_EQ(store_.ReadOnce("run", 2)->first, 3);
  ExpectDamaged(2);
  faulty_.Damage(3, 3);
  EXPECT_TRUE(absl::IsNotFound(store_.Read("run", 3).status()));
  ExpectDamaged(3);
  faulty_.Fail(testing::FaultyStore::Call::kRead, absl::DataLossError("a bad checksum"), 1);
  EXPECT_FALSE(store_.Read("run", 1).ok());
  ExpectDamaged(4);
}

TEST_F(MeteredReadsTest, AreNotCountedForWhatWasDeletedOrIsNotToBeHad) {
  ASSERT_TRUE(store_.Trim("run", 3).ok());
  EXPECT_EQ(store_.Read("run", 1)->first, 3);
  faulty_.Fail(testing::FaultyStore::Call::kRead, absl::UnavailableError("busy"), 1);
  EXPECT_FALSE(store_.Read("run", 3).ok());
  ASSERT_TRUE(store_.DeleteRun("run").ok());
  EXPECT_FALSE(store_.Read("run", 3).ok());
  ExpectDamaged(0);
}

// Whoever takes lines compressed reads them plainly where that fails.
TEST_F(MeteredReadsTest, AreCountedOnceWhereTheyWereToBeCompressed) {
  faulty_.Damage(2, 2);
  EXPECT_FALSE(store_.ReadCompressed("run", 2));
  EXPECT_EQ(faulty_.count(testing::FaultyStore::Call::kReadCompressed), 1);
  ExpectDamaged(0);
  EXPECT_EQ(store_.Read("run", 2)->first, 3);
  ExpectDamaged(1);
}

TEST_F(MeteredStoreTest, ForgetsRunsThatHaveEnded) {
  ASSERT_TRUE(Append(1, {"a"}, 1, 2).ok());
  Put("run", v1::RUN_STATE_SUCCEEDED);
  ASSERT_TRUE(Append(2, {"b"}, 2, 4).ok());
  EXPECT_THAT(Figures(), HasSubstr("\njobtail_lines_total 1\n")) << "as of one that is not known";
}

}  // namespace
}  // namespace jobtail
