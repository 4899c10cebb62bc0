// Tests of what readers get of a store that keeps batches compressed.

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/lz4_block.h"
#include "server/log/cursor.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::Decode;
using testing::FaultyStore;
using testing::Follow;
using testing::Out;
using testing::RecordsOf;

// A log on a store that keeps batches compressed.
class CompressedLogTest : public ::testing::Test {
 protected:
  // Has batches as RocksDB does.
  class CompressedStore : public MemoryStore {
   public:
    absl::Status Append(const std::string& run, absl::Span<const Batch> batches,
                        bool sync) override {
      for (const Batch& batch : batches) {
        if (batch.compressed) compressed[batch.first] = batch;
      }
      return MemoryStore::Append(run, batches, sync);
    }
    std::optional<CompressedBatch> ReadCompressed(const std::string&, int64_t sequence) override {
      const auto found = compressed.find(sequence);
      if (found == compressed.end()) return std::nullopt;
      ++reads;
      const Batch& batch = found->second;
      return CompressedBatch{batch.last, batch.compressed, batch.bytes->size()};
    }
    bool keeps_compressed() const override { return true; }

    std::map<int64_t, Batch> compressed;
    int reads = 0;
  };

  std::shared_ptr<Log> MakeLog(size_t tail_bytes) {
    storage::v1::StoredRun put;
    put.mutable_run()->set_id("run");
    EXPECT_TRUE(store_.PutRun(put).ok());
    return std::make_shared<Log>(
        "run", services_, LogOptions{.tail_bytes = tail_bytes, .commit_delay = absl::Hours(1)});
  }

  // Some batches of lines, and a small one with the result.
  static void Fill(Log& log) {
    for (int i = 1; i <= kLines; ++i) {
      log.Append({Out(absl::StrCat("a line like many others, number ", i), 1)});
    }
    log.Finish({}, [](const v1::RunResult&) { return v1::Run(); });
  }

  // What a reader gets, with what comes compressed decompressed.
  static std::vector<v1::LogLine> ReadAll(Cursor& cursor, int* blocks, size_t max_bytes) {
    std::vector<v1::LogLine> lines;
    for (auto next = Cursor::Next::kMore; next == Cursor::Next::kMore;) {
      std::vector<Slice> slices;
      auto tried = cursor.TryRead(max_bytes, &slices);
      next = tried ? *tried : *cursor.Read(max_bytes, &slices);
      bool has_block = false;
      for (Slice& slice : slices) {
        EXPECT_FALSE(has_block && slice.decompressed_size == 0) << "a block before elements";
        if (slice.decompressed_size == 0) continue;
        has_block = true;
        ++*blocks;
        std::string bytes(slice.decompressed_size, '\0');
        EXPECT_TRUE(DecodeLz4(slice.view(), bytes.data(), bytes.size()));
        const size_t size = bytes.size();
        slice = {Share(std::move(bytes)), 0, size};
      }
      for (v1::LogLine& line : RecordsOf(Decode(slices))) lines.push_back(std::move(line));
    }
    return lines;
  }

  static constexpr int kLines = 20'000;
  FakeClock clock_;
  CompressedStore store_;
  FaultyStore faulty_{&store_};
  BatchCache cache_{0};  // what has been read is read again
  Scheduler committer_{"test-commit", &clock_};
  Scheduler waker_{"test-wake", &clock_};
  LogServices services_{&faulty_, &cache_, &committer_, &waker_, &clock_};
};

TEST_F(CompressedLogTest, AReaderThatTakesItGetsWholeBatchesCompressed) {
  for (const size_t tail_bytes : {size_t{100}, size_t{100} << 20}) {
    const auto log = MakeLog(tail_bytes);
    Fill(*log);
    ASSERT_GT(store_.compressed.size(), 5);
    for (const size_t max_bytes : {size_t{256} << 10, size_t{64} << 10}) {
      const auto cursor = *Cursor::Open(log, Follow());
      cursor->AcceptCompressed();
      int blocks = 0;
      const auto lines = ReadAll(*cursor, &blocks, max_bytes);
      ASSERT_EQ(lines.size(), kLines + 1) << max_bytes;
      for (int i = 0; i < kLines; ++i) ASSERT_EQ(lines[i].sequence(), i + 1);
      EXPECT_TRUE(lines.back().has_result());
      EXPECT_EQ(blocks, static_cast<int>(store_.compressed.size()))
          << tail_bytes << " " << max_bytes;
    }
    EXPECT_EQ(store_.reads > 0, tail_bytes == 100) << "only of what is not in memory";
    ASSERT_TRUE(store_.DeleteRun("run").ok());
    store_.compressed.clear();
    store_.reads = 0;
  }
}

TEST_F(CompressedLogTest, AReaderThatBeginsOrEndsWithinABatchGetsThatAsItIs) {
  const auto log = MakeLog(100);
  Fill(*log);
  v1::TailLogRequest request;
  request.set_from_sequence(100);
  const auto cursor = *Cursor::Open(log, request);
  cursor->AcceptCompressed();
  int blocks = 0;
  const auto lines = ReadAll(*cursor, &blocks, size_t{256} << 10);
  ASSERT_EQ(lines.size(), kLines + 1 - 99);
  EXPECT_EQ(lines.front().sequence(), 100);
  EXPECT_EQ(blocks, static_cast<int>(store_.compressed.size()) - 1);
}

TEST_F(CompressedLogTest, NobodyElseGetsBlocks) {
  const auto log = MakeLog(size_t{100} << 20);
  Fill(*log);
  int blocks = 0;
  ReadAll(**Cursor::Open(log, Follow()), &blocks, size_t{256} << 10);
  v1::TailLogRequest filtered = Follow();
  filtered.set_pattern("number 1000$");
  const auto cursor = *Cursor::Open(log, filtered);
  cursor->AcceptCompressed();
  EXPECT_EQ(ReadAll(*cursor, &blocks, size_t{256} << 10).size(), 2);
  EXPECT_EQ(blocks, 0);
}

// The store need not try again.
TEST_F(CompressedLogTest, WhatGetsNoSmallerIsToldSo) {
  const auto log = MakeLog(100);
  std::mt19937_64 random(7);
  for (int i = 0; i < 10; ++i) {
    std::string noise(60'000, ' ');
    std::ranges::generate(noise, [&] { return static_cast<char>(random()); });
    log->Append({Out(noise, 1)});
  }
  log->Append({Out(std::string(60'000, 'x'), 1)});
  log->Finish({}, [](const v1::RunResult&) { return v1::Run(); });
  int told = 0;
  for (int64_t next = 1; next <= 12;) {
    const Batch batch = *store_.Read("run", next);
    EXPECT_EQ(batch.is_incompressible, !batch.compressed && batch.bytes->size() > kSmallBytes);
    told += batch.is_incompressible ? 1 : 0;
    next = batch.last + 1;
  }
  EXPECT_GE(told, 3);
  EXPECT_EQ(store_.compressed.size(), 1) << "with the x";
}

TEST_F(CompressedLogTest, WhatWasDeletedIsAGap) {
  const auto log = MakeLog(100);
  Fill(*log);
  const int64_t second = std::next(store_.compressed.begin())->first;
  log->SetFirst(second);
  ASSERT_TRUE(store_.Trim("run", second).ok());
  const auto cursor = *Cursor::Open(log, Follow());
  cursor->AcceptCompressed();
  int blocks = 0;
  const auto lines = ReadAll(*cursor, &blocks, size_t{256} << 10);
  ASSERT_TRUE(lines.front().has_gap());
  EXPECT_EQ(lines.front().gap().last(), second - 1);
  EXPECT_EQ(lines[1].sequence(), second);
}

// The log as one reader gets it who takes blocks, and as one who does not.
class FaultsOfACompressedLogTest : public CompressedLogTest {
 protected:
  using Call = FaultyStore::Call;

  FaultsOfACompressedLogTest() { Fill(*log_); }

  std::unique_ptr<Cursor> Open(bool takes_compressed) {
    auto cursor = *Cursor::Open(log_, Follow());
    if (takes_compressed) cursor->AcceptCompressed();
    return cursor;
  }
  std::vector<std::string> ReadAll(Cursor& cursor) {
    std::vector<std::string> lines;
    blocks_ = 0;
    for (const v1::LogLine& line : CompressedLogTest::ReadAll(cursor, &blocks_, 64 << 10)) {
      lines.push_back(line.SerializeAsString());
    }
    return lines;
  }
  int64_t FirstOf(int batch) const { return std::next(store_.compressed.begin(), batch)->first; }
  int batches() const { return static_cast<int>(store_.compressed.size()); }

  const std::shared_ptr<Log> log_ = MakeLog(100);
  int blocks_ = 0;  // of the last ReadAll
};

TEST_F(FaultsOfACompressedLogTest, ABlockThatCannotBeReadComesAsLines) {
  const std::vector<std::string> plain = ReadAll(*Open(false));
  ASSERT_EQ(blocks_, 0);
  for (const int times : {1, 2, 1 << 30}) {
    faulty_.Fail(Call::kReadCompressed, absl::DataLossError("a bad checksum"), times);
    EXPECT_TRUE(ReadAll(*Open(true)) == plain) << times;
  }
}

TEST_F(FaultsOfACompressedLogTest, WhatTheStoreRefusesIsAskedForAgain) {
  const std::vector<std::string> whole = ReadAll(*Open(false));
  for (const bool takes_compressed : {false, true}) {
    const auto cursor = Open(takes_compressed);
    faulty_.Fail(Call::kReadCompressed, absl::UnavailableError("busy"), takes_compressed ? 1 : 0);
    faulty_.Fail(Call::kRead, absl::UnavailableError("busy"), 1);
    std::vector<Slice> slices;
    EXPECT_EQ(cursor->Read(64 << 10, &slices).status(), absl::UnavailableError("busy"));
    EXPECT_EQ(cursor->next(), 1);
    EXPECT_TRUE(ReadAll(*cursor) == whole) << takes_compressed;
    EXPECT_EQ(blocks_ > 0, takes_compressed);
  }
}

TEST_F(FaultsOfACompressedLogTest, WhatIsDamagedIsTheSameGap) {
  faulty_.Damage(FirstOf(1), FirstOf(3) - 1);
  const std::vector<std::string> plain = ReadAll(*Open(false));
  EXPECT_TRUE(ReadAll(*Open(true)) == plain);
  EXPECT_EQ(blocks_, batches() - 2);
  ASSERT_EQ(static_cast<int64_t>(plain.size()), kLines + 1 - (FirstOf(3) - FirstOf(1)) + 1);
  v1::LogLine gap;
  ASSERT_TRUE(gap.ParseFromString(plain[FirstOf(1) - 1]));
  EXPECT_EQ(gap.gap().first(), FirstOf(1));
  EXPECT_EQ(gap.gap().last(), FirstOf(3) - 1);
  EXPECT_EQ(gap.gap().reason(), v1::GAP_REASON_DAMAGED);
}

}  // namespace
}  // namespace jobtail
