#include "server/log/journal.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/store_keys.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TemporaryDirectory;

// As long as it lives, the system lets no file of this process grow beyond `bytes`.
class LargestFile {
 public:
  explicit LargestFile(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~LargestFile() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  LargestFile(const LargestFile&) = delete;
  LargestFile& operator=(const LargestFile&) = delete;

 private:
  const sighandler_t handler_;
  rlimit before_{};
};

class JournalTest : public ::testing::Test {
 protected:
  static constexpr char kRun[] = "019a7b3c-0000-7000-8000-000000000001";
  static constexpr char kOtherRun[] = "019a7b3c-0000-7000-8000-000000000002";
  static constexpr size_t kBytes = 64 << 10;

  JournalTest() { Reopen(); }

  void Reopen() {
    journal_.reset();
    auto opened = Journal::Open(path(), kBytes);
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
  }

  std::string path() const { return directory_.path() + "/journal"; }

  std::optional<Journal::Half> Write(const std::string& run, int64_t first, std::string bytes) {
    return journal_->Write(*RunKey(run), {first, first + 1, -3 * first, 10 * first, 100 * first,
                                          Share(std::move(bytes))});
  }

  // "RUN'S LAST DIGIT:FIRST:BYTES", of what a new process would find.
  std::vector<std::string> Recovered() {
    Reopen();
    std::vector<std::string> entries;
    const auto recovered = journal_->Recovered();
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    for (const auto& [run, batch] : *recovered) {
      EXPECT_EQ(batch.last, batch.first + 1);
      EXPECT_EQ(batch.last_time_unix_nanos, -3 * batch.first);
      EXPECT_EQ(batch.total_lines, 10 * batch.first);
      EXPECT_EQ(batch.total_bytes, 100 * batch.first);
      entries.push_back(
          absl::StrCat(run.substr(35), ":", batch.first, ":", std::string(*batch.bytes)));
    }
    return entries;
  }

  // What was written, without the zeros of what was not.
  std::string ReadFile() const {
    std::ifstream file(path(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    return bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  }

  void WriteFile(const std::string& bytes) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, IsEmptyWhenItIsNew) { EXPECT_THAT(Recovered(), IsEmpty()); }

TEST_F(JournalTest, GivesBackWhatWasWrittenInItsOrder) {
  const std::string bytes("\0\n\xff", 3);
  ASSERT_TRUE(Write(kRun, 1, "a"));
  ASSERT_TRUE(Write(kOtherRun, 7, bytes));
  ASSERT_TRUE(Write(kRun, 3, ""));
  EXPECT_THAT(Recovered(), ElementsAre("1:1:a", "2:7:" + bytes, "1:3:"));
}

TEST_F(JournalTest, ForgetsWhenItIsCleared) {
  ASSERT_TRUE(Write(kRun, 1, "a"));
  Reopen();
  ASSERT_TRUE(journal_->Clear().ok());
  EXPECT_THAT(Recovered(), IsEmpty());
  ASSERT_TRUE(Write(kRun, 3, "b"));
  EXPECT_THAT(Recovered(), ElementsAre("1:3:b"));
}

// As a process leaves it that is killed while it writes.
TEST_F(JournalTest, IsReadUpToTheEntryThatIsCutOff) {
  ASSERT_TRUE(Write(kRun, 1, "first"));
  const size_t whole = ReadFile().size();
  ASSERT_TRUE(Write(kRun, 3, "second"));
  const std::string both = ReadFile();
  for (size_t size = 0; size < both.size(); ++size) {
    WriteFile(both.substr(0, size));
    EXPECT_EQ(Recovered().size(), size < whole ? 0 : 1) << size;
  }
}

// As the machine leaves it that crashes while the system writes.
TEST_F(JournalTest, IsReadUpToTheEntryThatIsWrong) {
  ASSERT_TRUE(Write(kRun, 1, "first"));
  const size_t whole = ReadFile().size();
  ASSERT_TRUE(Write(kRun, 3, "second"));
  const std::string both = ReadFile();
  for (size_t i = 0; i < both.size(); ++i) {
    std::string wrong = both;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x10);
    WriteFile(wrong);
    EXPECT_EQ(Recovered().size(), i < whole ? 0 : 1) << i;
  }
}

TEST_F(JournalTest, IsReadWhateverIsInIt) {
  std::string noise(3 * kBytes, '\0');
  WriteFile(noise);
  EXPECT_THAT(Recovered(), IsEmpty());
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * i * 7919 >> 7);
  WriteFile(noise);
  EXPECT_THAT(Recovered(), IsEmpty());
  ASSERT_TRUE(Write(kRun, 1, "a"));
  EXPECT_THAT(Recovered(), ElementsAre("1:1:a"));
}

TEST_F(JournalTest, TakesNothingMoreWhenBothHalvesAreInUse) {
  const std::string bytes(10'000, 'x');
  std::vector<Journal::Half> halves;
  int64_t first = 1;
  while (const auto half = Write(kRun, first, bytes)) {
    halves.push_back(*half);
    first += 2;
  }
  EXPECT_THAT(halves, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_EQ(Recovered().size(), 6);
  EXPECT_EQ(fs::file_size(path()), kBytes);
}

TEST_F(JournalTest, GoesOnInTheHalfThatWasReleasedAndForgetsWhatWasThere) {
  const std::string large(10'000, 'x');
  for (int64_t first = 1; first < 12; first += 2) ASSERT_TRUE(Write(kRun, first, large));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(Write(kRun, 13, "no room yet, though some was released" + large));
    journal_->Release(0);
  }
  ASSERT_EQ(Write(kRun, 13, large), 0);
  const std::vector<std::string> entries = Recovered();
  ASSERT_EQ(entries.size(), 4) << "half 1 as it was, and then what is new in half 0";
  EXPECT_THAT(entries.front(), ::testing::StartsWith("1:7:"));
  EXPECT_THAT(entries.back(), ::testing::StartsWith("1:13:"));
}

// What is used all the time stays small, and in the processor's caches.
TEST_F(JournalTest, BeginsAnewAsSoonAsNothingIsInUse) {
  for (int64_t i = 1; i < 1000; ++i) {
    const auto half = Write(kRun, i, std::string(1000, 'x'));
    ASSERT_TRUE(half);
    journal_->Release(*half);
  }
  EXPECT_LT(ReadFile().size(), 2000);
  EXPECT_EQ(Recovered().size(), 1);
}

TEST_F(JournalTest, TakesNothingThatIsLargerThanAHalf) {
  EXPECT_FALSE(Write(kRun, 1, std::string(kBytes / 2, 'x')));
  EXPECT_TRUE(Write(kRun, 1, std::string(kBytes / 4, 'x')));
}

// Writing to a mapping where the file has ended is a SIGBUS, as on a full or failing disk.
TEST_F(JournalTest, WritesToTheFileWhereTheMappingCannotBeWrittenTo) {
  const std::string pages(10'000, 'x');
  for (const uintmax_t size : {0, 4096, 5000, 8192}) {
    Reopen();
    ASSERT_TRUE(journal_->Clear().ok());
    fs::resize_file(path(), size);
    ASSERT_TRUE(Write(kRun, 1, pages)) << size;
    EXPECT_EQ(Recovered().size(), 1) << size;
  }
}

TEST_F(JournalTest, RefusesWhatTheSystemDoesNotTake) {
  ASSERT_TRUE(Write(kRun, 1, "a"));
  const std::string pages(10'000, 'x');
  fs::resize_file(path(), 4096);
  {
    const LargestFile none(4096);
    EXPECT_FALSE(Write(kRun, 3, pages));
    EXPECT_TRUE(Write(kRun, 3, "b")) << "this page is there";
  }
  EXPECT_TRUE(Write(kRun, 5, pages)) << "there is room again";
  EXPECT_EQ(Recovered().size(), 3);
}

TEST_F(JournalTest, SaysThatThereIsNoRoomForTheFile) {
  fs::remove(path());
  const LargestFile none(0);
  const absl::Status status = Journal::Open(path(), kBytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path()));
}

TEST_F(JournalTest, SaysWhichFileCannotBeOpened) {
  fs::remove(path());
  fs::create_directory(path());
  const absl::Status status = Journal::Open(path(), kBytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path()));
}

TEST_F(JournalTest, KeepsWhatManyThreadsWrite) {
  constexpr int kThreads = 4;
  constexpr int64_t kEach = 40;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([this, thread] {
        const std::string run = absl::StrCat("019a7b3c-0000-7000-8000-00000000000", thread);
        for (int64_t i = 1; i <= kEach; ++i) ASSERT_TRUE(Write(run, i, absl::StrCat(i)));
      });
    }
  }
  std::vector<int64_t> next(kThreads, 1);
  for (const std::string& entry : Recovered()) {
    int64_t& expected = next[static_cast<size_t>(entry[0] - '0')];
    EXPECT_EQ(entry.substr(1), absl::StrCat(":", expected, ":", expected));
    ++expected;
  }
  EXPECT_THAT(next, ::testing::Each(kEach + 1));
}

}  // namespace
}  // namespace jobtail
