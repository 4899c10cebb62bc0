// What lies between a job that prints and its log: secrets, and lines that overwrite one another.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "base/scheduler.h"
#include "server/run/mask_sink.h"
#include "server/run/overwrite_sink.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"
#include "tests/server/support/stored_runs.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail {
namespace {

using capture::Ending;
using capture::Line;
using capture::Stream;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMilli = 1'000'000;

// Remembers what it is given: text, then the ending as '\n', '\r' or '|' for none.
class LineRecorder : public capture::Sink {
 public:
  void Write(std::span<const Line> lines) noexcept override {
    absl::MutexLock lock(&mutex_);
    for (const Line& line : lines) {
      const char* const ends = "\n\r||";
      text_.append(line.text).push_back(ends[static_cast<int>(line.ending) - 1]);
    }
  }
  bool TryWrite(std::span<const Line> lines) noexcept override {
    if (full) return false;
    Write(lines);
    return true;
  }

  std::string text() {
    absl::MutexLock lock(&mutex_);
    return text_;
  }
  // Waits until this is what came last.
  void Await(const std::string& text) {
    absl::MutexLock lock(&mutex_);
    const auto is_there = [&] { return text_.ends_with(text); };
    mutex_.Await(absl::Condition(&is_there));
  }

  std::atomic<bool> full = false;

 private:
  absl::Mutex mutex_;
  std::string text_;
};

Line At(int64_t millis, std::string_view text, Ending ending, Stream stream = Stream::kStdout) {
  return {stream, ending, millis * kMilli, text};
}

class OverwriteTest : public ::testing::Test {
 protected:
  void Print(int64_t millis, std::string_view text, Ending ending,
             Stream stream = Stream::kStdout) {
    const Line line = At(millis, text, ending, stream);
    sink_->Write({&line, 1});
  }

  LineRecorder log_;
  FakeClock clock_;
  Scheduler timers_{"timers", &clock_};
  std::shared_ptr<OverwriteSink> sink_ = std::make_shared<OverwriteSink>(&log_, &timers_);
};

TEST_F(OverwriteTest, OtherLinesPassAsTheyAre) {
  Print(0, "a", Ending::kLf);
  Print(1, "b", Ending::kNone);
  Print(2, "c", Ending::kSplit);
  Print(3, "", Ending::kLf);
  EXPECT_EQ(log_.text(), "a\nb|c|\n");
  EXPECT_EQ(sink_->Finish().lines, 0);
}

// docker pull, tqdm within tqdm: the row goes up, is drawn, and down again.
TEST_F(OverwriteTest, KeepsWhatGoesToOtherRows) {
  Print(0, "begin", Ending::kCr);
  Print(1, "\x1b[2A\x1b[2K", Ending::kCr);
  Print(2, "layer: 10 %", Ending::kCr);
  Print(3, "\x1b[2B\x1b[1A\x1b[2K", Ending::kCr);
  Print(4, "other: 20 %\x1b[1B", Ending::kCr);
  Print(5, "50 %", Ending::kCr);
  Print(6, "60 %", Ending::kCr);
  Print(7, "done", Ending::kLf);
  EXPECT_EQ(sink_->Finish().lines, 1);
  EXPECT_EQ(log_.text(),
            "begin\r\x1b[2A\x1b[2K\rlayer: 10 %\r\x1b[2B\x1b[1A\x1b[2K\rother: 20 %\x1b[1B\r"
            "60 %\rdone\n");
}

TEST_F(OverwriteTest, KeepsTenStatesASecondAndTheLast) {
  for (int i = 0; i <= 250; ++i) Print(i, std::to_string(i), Ending::kCr);
  Print(251, "done", Ending::kLf);
  const OverwriteSink::Dropped dropped = sink_->Finish();
  EXPECT_THAT(log_.text(), ::testing::EndsWith("\r250\rdone\n"));
  const std::string text = log_.text();
  const auto kept = std::ranges::count(text, '\r');
  EXPECT_LE(kept, 250);
  EXPECT_EQ(kept + dropped.lines, 251) << "each is in the log or counted";
  size_t printed = 0;
  for (int i = 0; i <= 250; ++i) printed += std::to_string(i).size() + 1;
  EXPECT_EQ(text.size() - 5 + dropped.bytes, printed);
}

TEST_F(OverwriteTest, ThinsOutBarsThatBeginWithTheReturn) {
  std::string printed;
  for (int i = 0; i <= 250; ++i) {
    Print(i, "", Ending::kCr);
    Print(i, std::to_string(i), Ending::kNone);
    printed += "\r" + std::to_string(i);
  }
  Print(251, "", Ending::kLf);
  const OverwriteSink::Dropped dropped = sink_->Finish();
  std::string text = log_.text();
  EXPECT_THAT(text, ::testing::EndsWith("250|\n"));
  std::erase(text, '|');
  EXPECT_EQ(text.size() + dropped.bytes, printed.size() + 1);
  EXPECT_GT(dropped.lines, 0);
}

TEST_F(OverwriteTest, ShowsTheLastStateOfAJobThatPauses) {
  Print(0, "1", Ending::kCr);
  Print(1, "2", Ending::kCr);
  Print(2, "3", Ending::kCr);
  EXPECT_EQ(log_.text(), "1\r");
  clock_.Advance(OverwriteSink::kInterval);
  log_.Await("3\r");
}

TEST_F(OverwriteTest, TriesAgainWhereTheLogIsFull) {
  log_.full = true;
  Print(0, "1", Ending::kCr);
  Print(1, "2", Ending::kCr);
  const Line line = At(200, "3", Ending::kCr);
  EXPECT_FALSE(sink_->TryWrite({&line, 1}));
  clock_.Advance(OverwriteSink::kInterval);
  log_.full = false;
  const PassingTime passing(&clock_);
  log_.Await("1\r2\r");
}

TEST_F(OverwriteTest, KeepsTheOrderOfBothStreams) {
  Print(0, "1", Ending::kCr, Stream::kStderr);
  Print(1, "2", Ending::kCr, Stream::kStderr);
  Print(2, "line", Ending::kLf);
  Print(3, "3", Ending::kCr, Stream::kStderr);
  sink_->Finish();
  EXPECT_EQ(log_.text(), "1\r2\rline\n3\r");
}

TEST(MaskSink, HidesASecretHoweverItsLineIsCutIntoRecords) {
  const Masker masker({"hunter2", "correct horse"}, {});
  const std::string text = "login hunter2 with correct horse, hunter";
  for (const Ending ending : {Ending::kNone, Ending::kSplit}) {
    for (size_t first = 0; first <= text.size(); ++first) {
      for (size_t second = first; second <= text.size(); ++second) {
        LineRecorder log;
        MaskSink sink(&masker, &log);
        const Line lines[] = {At(0, std::string_view(text).substr(0, first), ending),
                              At(1, "other", Ending::kLf, Stream::kStderr),
                              At(2, std::string_view(text).substr(first, second - first), ending),
                              At(3, std::string_view(text).substr(second), Ending::kLf)};
        for (const Line& line : lines) sink.Write({&line, 1});
        sink.Finish();
        std::string shown = log.text();
        shown.erase(shown.find("other\n"), 6);
        std::erase(shown, '|');
        ASSERT_EQ(shown, "login *** with ***, hunter\n") << first << ", " << second;
      }
    }
  }
}

TEST(MaskSink, ShowsWhatItHoldsBackAtTheEnd) {
  const Masker masker({"hunter2"}, {});
  LineRecorder log;
  MaskSink sink(&masker, &log);
  const Line line = At(0, "who? hunter", Ending::kNone);
  sink.Write({&line, 1});
  EXPECT_EQ(log.text(), "who? |");
  sink.Finish();
  EXPECT_EQ(log.text(), "who? |hunter|");
}

TEST(MaskSink, TakesNothingWhereTheLogIsFull) {
  const Masker masker({"hunter2"}, {});
  LineRecorder log;
  MaskSink sink(&masker, &log);
  log.full = true;
  const Line line = At(0, "hunter2!", Ending::kNone);
  EXPECT_FALSE(sink.TryWrite({&line, 1}));
  log.full = false;
  EXPECT_TRUE(sink.TryWrite({&line, 1}));
  EXPECT_EQ(log.text(), "***!|");
}

class SecretTest : public testing::EngineTest {};

TEST_F(SecretTest, IsShownNowhere) {
  AddJob(Job("job", [](JobContext& run) {
           const std::string& password = run.Get<std::string>("password");
           std::cout << "login " << password << std::endl;
           std::cerr << password.substr(0, 3) << std::flush << password.substr(3) << std::endl;
           run.Progress(0.5, "using " + password);
           throw std::runtime_error("refused: " + password);
         }).With(Parameter::String("password").Secret()));
  const absl::StatusOr<v1::Run> run = Create("job", {{"password", "hunter2"}}, "id");
  ASSERT_TRUE(run.ok()) << run.status();
  std::string seen = run->DebugString();
  for (const v1::LogLine& line : AwaitLog(run->id())) seen += line.DebugString();
  seen += Get(run->id()).DebugString();
  const auto stored = testing::LoadRuns(memory_);
  ASSERT_TRUE(stored.ok());
  for (const storage::v1::StoredRun& each : *stored) seen += each.DebugString();
  EXPECT_THAT(seen, Not(HasSubstr("hunter2")));
  EXPECT_THAT(seen, HasSubstr("text: \"login ***\""));
  EXPECT_THAT(seen, HasSubstr("exception: refused: ***"));
  EXPECT_EQ(Get(run->id()).parameters().at("password"), "***");
  EXPECT_EQ(Create("job", {{"password", "hunter2"}}, "id")->id(), run->id()) << "a retry";
}

TEST_F(SecretTest, IsNotRepeatedInAnError) {
  AddJob(Job("job", [](JobContext&) {}).With(Parameter::String("pin").Secret().Pattern("[0-9]+")));
  EXPECT_EQ(Create("job", {{"pin", "hunter2"}}).status(),
            absl::InvalidArgumentError("parameter pin=***: give text that matches [0-9]+"));
}

TEST_F(SecretTest, HasNoDefaultAndIsText) {
  const auto add = [&](const auto& parameter) {
    return std::string(engine_.AddJob(Job("job", [](JobContext&) {}).With(parameter)).message());
  };
  v1::Parameter number = Parameter::Int("key").proto();
  number.set_secret(true);
  EXPECT_THAT(add(Parameter::String("key").Secret().Default(std::string("abc"))),
              HasSubstr("is a secret and has a default"));
  EXPECT_THAT(add(number), HasSubstr("only String can be one"));
}

TEST_F(SecretTest, IsAlsoWhatAJobsPatternFinds) {
  AddJob(Job("job", [](JobContext&) {
           std::cout << "tok" << std::flush << "en=abc" << std::flush << "def end" << std::endl;
         }).Mask("token=\\S+"));
  EXPECT_THAT(testing::Texts(Run("job")), ElementsAre("*** end", "result"));
}

TEST_F(SecretTest, PatternsThatAreNoneAreRefused) {
  EXPECT_THAT(std::string(engine_.AddJob(Job("job", [](JobContext&) {}).Mask("(")).message()),
              HasSubstr("job job: mask \"(\": missing )"));
}

using OutputTest = testing::EngineTest;

TEST_F(OutputTest, OfAProgressBarIsCountedInFull) {
  constexpr int kSteps = 20'000;
  int64_t bytes = 0;
  AddJob(Job("job", [&](JobContext&) {
    for (int i = 0; i < kSteps; ++i) bytes += printf("\r%d steps", i);
    bytes += printf("\n");
  }));
  const std::vector<v1::LogLine> lines = Run("job");
  const v1::RunResult& result = lines.back().result();
  EXPECT_EQ(result.total_bytes(), bytes);
  const auto is_line = [](const v1::LogLine& line) { return line.has_text(); };
  EXPECT_EQ(result.total_lines(), std::ranges::count_if(lines, is_line));
  EXPECT_GT(result.overwritten_lines(), 0);
  std::string last;
  for (const v1::LogLine& line : lines) last += line.has_text() ? line.text() : "";
  EXPECT_THAT(last, ::testing::EndsWith("19999 steps"));
}

TEST_F(OutputTest, IsKeptInFullOnDemand) {
  AddJob(Job("job", [&](JobContext&) {
           for (int i = 0; i < 1000; ++i) printf("%d\r", i);
         }).KeepOverwritten());
  const std::vector<v1::LogLine> lines = Run("job");
  EXPECT_EQ(lines.size(), 1001);
  EXPECT_EQ(lines.back().result().overwritten_lines(), 0);
}

}  // namespace
}  // namespace jobtail
