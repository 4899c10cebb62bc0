// Tests of the journal's file, whole, torn and damaged.

#include "server/store/journal.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "server/store/crc32c.h"
#include "server/store/journal_frame.h"
#include "server/store/journal_reader.h"
#include "server/store/record_range.h"
#include "server/store/store_keys.h"
#include "tests/server/support/records.h"
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

  JournalTest() { Create(); }

  void Create(size_t bytes = kBytes) {
    journal_.reset();
    auto created = Journal::Create(path(), bytes);
    ASSERT_TRUE(created.ok()) << created.status();
    journal_ = *std::move(created);
  }

  std::string path() const { return directory_.path() + "/journal"; }

  // A batch of two records, the first of which says `text`.
  static Batch MakeBatch(int64_t first, std::string_view text) {
    std::string bytes;
    EncodeLine(first, first, testing::Out(text), &bytes);
    EncodeLine(first + 1, first, testing::Out("."), &bytes);
    return {first, first + 1, -3 * first, 10 * first, 100 * first, Share(std::move(bytes))};
  }

  std::optional<Journal::Half> Write(const std::string& run, int64_t first, std::string_view text) {
    return journal_->Write(*RunKey(run), MakeBatch(first, text));
  }

  // "RUN'S LAST DIGIT:FIRST:TEXT", of what a new process would find.
  std::vector<std::string> Recovered() {
    std::vector<std::string> entries;
    const auto recovered = ReadJournal(path());
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    for (const auto& [run, batch] : *recovered) {
      EXPECT_EQ(batch.last, batch.first + 1);
      EXPECT_EQ(batch.last_time_unix_nanos, -3 * batch.first);
      EXPECT_EQ(batch.total_lines, 10 * batch.first);
      EXPECT_EQ(batch.total_bytes, 100 * batch.first);
      entries.push_back(absl::StrCat(run.substr(35), ":", batch.first, ":",
                                     testing::Texts(testing::Decode(*batch.bytes)).at(0)));
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
  const std::string bytes("\0\n\t", 3);
  ASSERT_TRUE(Write(kRun, 1, "a"));
  ASSERT_TRUE(Write(kOtherRun, 7, bytes));
  ASSERT_TRUE(Write(kRun, 3, ""));
  EXPECT_THAT(Recovered(), ElementsAre("1:1:a", "2:7:" + bytes, "1:3:"));
}

TEST_F(JournalTest, ForgetsWhenItIsMadeAnew) {
  ASSERT_TRUE(Write(kRun, 1, "a"));
  Create();
  EXPECT_THAT(Recovered(), IsEmpty());
  ASSERT_TRUE(Write(kRun, 3, "b"));
  EXPECT_THAT(Recovered(), ElementsAre("1:3:b"));
}

TEST_F(JournalTest, IsEmptyWhereThereIsNone) {
  fs::remove(path());
  EXPECT_THAT(Recovered(), IsEmpty());
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
  for (size_t i = kJournalHeaderBytes; i < both.size(); ++i) {
    std::string wrong = both;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x10);
    WriteFile(wrong);
    EXPECT_EQ(Recovered().size(), i < whole ? 0 : 1) << i;
  }
}

TEST_F(JournalTest, IsReadThoughItsHeaderIsDamaged) {
  const std::string large(10'000, 'x');
  for (int64_t first = 1; first < 12; first += 2) ASSERT_TRUE(Write(kRun, first, large));
  std::string whole = ReadFile();
  whole.resize(fs::file_size(path()), '\0');
  for (size_t i = 0; i < EncodeJournalHeader(0).size(); ++i) {
    std::string wrong = whole;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x10);
    WriteFile(wrong);
    EXPECT_EQ(Recovered().size(), 6) << i;
  }
}

TEST_F(JournalTest, OfANewerServerIsRefusedAndLeftAsItIs) {
  ASSERT_TRUE(Write(kRun, 1, "a"));
  std::string header("jobtail journal\n");
  for (const int64_t number : {3, 1000}) AppendNumber(number, &header);
  AppendNumber(Crc32c(header), &header);
  const std::string newer = header + ReadFile().substr(header.size());
  WriteFile(newer);
  const absl::Status status = ReadJournal(path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("version 3"));
  EXPECT_EQ(ReadFile(), newer);
}

// Whatever size it is opened with, it is read by what it says of itself.
TEST_F(JournalTest, OfAnotherSizeIsReadWhole) {
  for (const size_t bytes : {kBytes / 2, 2 * kBytes, kBytes + 1234}) {
    Create(bytes);
    const std::string text(bytes / 10, 'x');
    int64_t first = 1;
    size_t in_second = 0;
    while (const auto half = Write(kRun, first, text)) {
      in_second += *half;
      first += 2;
    }
    EXPECT_GT(in_second, 0);
    EXPECT_EQ(Recovered().size(), (first - 1) / 2) << bytes;
  }
}

// As servers of format 1 made it: without a header, and with halves of half the file each.
TEST_F(JournalTest, WithoutAHeaderIsReadWhole) {
  constexpr int64_t kEpoch = 17;
  for (const size_t bytes : {size_t{64} << 10, size_t{8} << 20, size_t{16} << 20}) {
    const size_t half = std::min(bytes / 2, size_t{4} << 20);  // of a file that was made longer
    std::string file(bytes, '\0');
    std::string frame;
    EncodeFrame(kEpoch + 1, *RunKey(kRun), MakeBatch(3, "second"), &frame);
    file.replace(0, frame.size(), frame);
    EncodeFrame(kEpoch, *RunKey(kRun), MakeBatch(1, "first"), &frame);
    file.replace(half, frame.size(), frame);
    WriteFile(file);
    EXPECT_THAT(Recovered(), ElementsAre("1:1:first", "1:3:second")) << bytes;
  }
}

// A frame with the right checksum and records that it cannot have.
TEST_F(JournalTest, LeavesOutABatchThatIsNotWhatItSays) {
  const auto write = [this](int64_t first, int64_t last, const SharedBytes& bytes) {
    ASSERT_TRUE(journal_->Write(*RunKey(kRun), {first, last, 0, 0, 0, bytes}));
  };
  const SharedBytes good = MakeBatch(1, "a").bytes;
  for (const auto& [first, last] : {std::pair<int64_t, int64_t>{1, INT64_MAX - 1},
                                    {1, -1},
                                    {1, 0},
                                    {1, 1},
                                    {1, 3},
                                    {0, 2},
                                    {-1, 2},
                                    {INT64_MIN, INT64_MAX},
                                    {2, 3},
                                    {1, kMaxSequence}}) {
    write(first, last, good);
  }
  write(1, 2, Share(std::string()));
  write(1, 2, Share(std::string(*good) + "x"));
  write(1, 2, Share(std::string(good->substr(0, good->size() / 2))));
  ASSERT_TRUE(Write(kRun, 1, "good"));
  EXPECT_THAT(Recovered(), ElementsAre("1:1:good"));
}

TEST_F(JournalTest, IsReadWhateverIsInIt) {
  journal_.reset();
  std::string noise(3 * kBytes, '\0');
  WriteFile(noise);
  EXPECT_THAT(Recovered(), IsEmpty());
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>(i * i * 7919 >> 7);
  WriteFile(noise);
  EXPECT_THAT(Recovered(), IsEmpty());
  Create();
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
  EXPECT_EQ(fs::file_size(path()), kJournalHeaderBytes + kBytes);
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
  EXPECT_LT(ReadFile().size(), kJournalHeaderBytes + 2000);
  EXPECT_EQ(Recovered().size(), 1);
}

TEST_F(JournalTest, TakesNothingThatIsLargerThanAHalf) {
  EXPECT_FALSE(Write(kRun, 1, std::string(kBytes / 2, 'x')));
  EXPECT_TRUE(Write(kRun, 1, std::string(kBytes / 4, 'x')));
}

// Writing to a mapping where the file has ended is a SIGBUS, as on a full or failing disk.
TEST_F(JournalTest, WritesToTheFileWhereTheMappingCannotBeWrittenTo) {
  const std::string pages(10'000, 'x');
  for (const uintmax_t size : {0, 4096, 5000, 8192, 12'288}) {
    Create();
    fs::resize_file(path(), size);
    ASSERT_TRUE(Write(kRun, 1, pages)) << size;
    EXPECT_EQ(Recovered().size(), 1) << size;
  }
}

TEST_F(JournalTest, RefusesWhatTheSystemDoesNotTake) {
  ASSERT_TRUE(Write(kRun, 1, "a"));
  const std::string pages(10'000, 'x');
  fs::resize_file(path(), 2 * kJournalHeaderBytes);
  {
    const LargestFile none(2 * kJournalHeaderBytes);
    EXPECT_FALSE(Write(kRun, 3, pages));
    EXPECT_TRUE(Write(kRun, 3, "b")) << "this page is there";
  }
  EXPECT_TRUE(Write(kRun, 5, pages)) << "there is room again";
  EXPECT_EQ(Recovered().size(), 3);
}

TEST_F(JournalTest, SaysThatThereIsNoRoomForTheFile) {
  fs::remove(path());
  const LargestFile none(0);
  const absl::Status status = Journal::Create(path(), kBytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(path()));
}

TEST_F(JournalTest, SaysWhichFileCannotBeOpened) {
  fs::remove(path());
  fs::create_directory(path());
  const absl::Status status = Journal::Create(path(), kBytes).status();
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
