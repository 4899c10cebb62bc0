// Write-ahead logs as kill -9 and a loss of power leave them, damaged: the server starts on them,
// has what is sound, and says where something is missing.

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/faults/counted_log.h"
#include "tests/faults/faulty_server.h"
#include "tests/faults/whole.h"
#include "tests/support/observe.h"

namespace jobtail::faults {
namespace {

namespace fs = std::filesystem;

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Property;

constexpr size_t kPage = 4096;
constexpr size_t kBlock = 32 << 10;  // of the write-ahead log's format

// The write-ahead logs, the newest last: their names have as many digits.
std::vector<std::string> WriteAheadLogs(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& file : fs::directory_iterator(directory)) {
    if (file.path().extension() == ".log") paths.push_back(file.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void Overwrite(const std::string& path, size_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}

class DamagedWal : public ::testing::Test {
 protected:
  void Start() {
    server_.Start();
    ASSERT_FALSE(HasFatalFailure());
  }

  // Starts a run that prints numbered lines, and waits until so many are stored.
  std::string Print(int64_t lines) {
    const std::string run =
        e2e::StartRun(server_.stub(), "firehose", {{"lines", "100000000"}, {"bytes", "60"}});
    EXPECT_TRUE(Within(std::chrono::minutes(1),
                       [&] { return e2e::GetRun(server_.stub(), run).last_sequence() >= lines; }));
    return run;
  }

  void Cancel(const std::string& run) {
    v1::CancelRunRequest request;
    request.set_run(run);
    v1::Run cancelled;
    grpc::ClientContext context;
    EXPECT_TRUE(server_.stub().CancelRun(&context, request, &cancelled).ok());
  }

  std::string NewestWal() const { return WriteAheadLogs(server_.data()).back(); }

  // Starts the server on what is left: the run's log is there, with gaps for what is not, new runs
  // are taken, and the damaged file is kept.
  void ExpectStartsWithGapsIn(const std::string& run) {
    Start();
    if (HasFatalFailure()) return;
    server_.ExpectServed();
    CountedLog log(run);
    ReadAll(server_.stub(), run, &log);
    EXPECT_TRUE(log.result()) << "as LOST, at least";
    EXPECT_THAT(log.gaps(), Each(Property(&v1::Gap::reason, v1::GAP_REASON_DAMAGED)));
    EXPECT_GT(log.last(), 1);
  }

  FaultyServer server_;
};

class DamagedWalPage : public DamagedWal, public ::testing::WithParamInterface<int> {};

// Pages 8 × (2 + 2i): there blocks begin.
TEST_P(DamagedWalPage, OfZeroesIsAGap) {
  if (GetParam() > 2 && !IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  Start();
  const std::string run = Print(300'000);
  server_.Kill();
  const size_t offset = kBlock * static_cast<size_t>(2 + 2 * GetParam());
  std::string wal;  // the newest that is long enough
  for (const std::string& path : WriteAheadLogs(server_.data())) {
    if (fs::file_size(path) > offset + kPage) wal = path;
  }
  ASSERT_FALSE(wal.empty());
  Overwrite(wal, offset, std::string(kPage, '\0'));
  ExpectStartsWithGapsIn(run);
  EXPECT_THAT(
      testing::ReadFile(server_.data() + "/damaged/" + fs::path(wal).filename().string() + ".1"),
      Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(At, DamagedWalPage, ::testing::Range(1, 9));

// The length of a file is on the disk before its content: the end is zeroes.
TEST_F(DamagedWal, WhoseEndIsZeroesIsCutOff) {
  if (!IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  Start();
  const std::string run = Print(300'000);
  server_.Kill();
  const std::string wal = NewestWal();
  const size_t size = fs::file_size(wal);
  Overwrite(wal, size / 2, std::string(size - size / 2, '\0'));
  ExpectStartsWithGapsIn(run);
}

// Where the content was not written in time, what was on the disk before shows: zeroes, and blocks
// of a write-ahead log that has been deleted. They are sound, but for their place.
TEST_F(DamagedWal, WithBlocksOfAnotherThatIsGoneIsAGap) {
  Start();
  const std::string first = Print(100'000);
  const std::string old = testing::ReadFile(NewestWal()).substr(0, 20 * kBlock);
  ASSERT_EQ(old.size(), 20 * kBlock);
  Cancel(first);
  const std::string old_name = NewestWal();
  const std::string run = Print(100'000);
  ASSERT_TRUE(Within(std::chrono::minutes(1), [&] {
    const std::string newest = NewestWal();
    return newest != old_name && !fs::exists(old_name) && fs::file_size(newest) > 30 * kBlock;
  }));
  server_.Kill();
  const std::string wal = NewestWal();
  if (fs::file_size(wal) <= old.size()) GTEST_SKIP() << "the newest log has just begun";
  Overwrite(wal, 0, std::string(2 * kBlock, '\0') + old.substr(2 * kBlock));
  ExpectStartsWithGapsIn(run);
  CountedLog log(first);
  ReadAll(server_.stub(), first, &log);
  EXPECT_TRUE(log.result());
}

// JOBTAIL_FAULTS_DATA=DIR: a data directory from elsewhere, of which a copy is opened.
TEST_F(DamagedWal, OfADirectoryThatIsGivenOpens) {
  const char* const given = std::getenv("JOBTAIL_FAULTS_DATA");
  if (!given) GTEST_SKIP() << "run with JOBTAIL_FAULTS_DATA=DIR";
  fs::copy(given, server_.data(), fs::copy_options::recursive);
  fs::permissions(server_.data(), fs::perms::owner_all);
  Start();
  server_.ExpectServed();
  v1::ListRunsResponse runs;
  grpc::ClientContext context;
  ASSERT_TRUE(server_.stub().ListRuns(&context, {}, &runs).ok());
  EXPECT_GT(runs.runs_size(), 0);
  for (const v1::Run& run : runs.runs()) {
    CountedLog log(run.id(), /*is_numbered=*/false);
    ReadAll(server_.stub(), run.id(), &log);
    EXPECT_TRUE(log.result()) << run.id();
  }
}

}  // namespace
}  // namespace jobtail::faults
