// What becomes of lines of all shapes on their way into a log: characters in pieces, CR LF, CR
// alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/scheduler.h"
#include "base/utf8.h"
#include "server/run/character_sink.h"
#include "server/run/overwrite_sink.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

using capture::Ending;
using capture::Line;
using capture::Stream;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

// Remembers what it is given: each text with the ending as '\n', '\r' or '|' for none.
class Recorder : public capture::Sink {
 public:
  void Write(std::span<const Line> lines) noexcept override {
    for (const Line& line : lines) {
      const char* const ends = "\n\r||";
      taken.push_back(std::string(line.text) + ends[static_cast<int>(line.ending) - 1]);
      longest = std::max(longest, line.text.size());
    }
  }
  bool TryWrite(std::span<const Line> lines) noexcept override {
    if (!full) Write(lines);
    return !full;
  }

  std::vector<std::string> taken;
  size_t longest = 0;
  bool full = false;
};

Line Of(std::string_view text, Ending ending, Stream stream = Stream::kStdout, int64_t time = 0) {
  return {stream, ending, time, text};
}

class CharacterTest : public ::testing::Test {
 protected:
  void Print(std::string_view text, Ending ending, Stream stream = Stream::kStdout) {
    const Line line = Of(text, ending, stream);
    sink_.Write({&line, 1});
  }

  Recorder log_;
  CharacterSink sink_{&log_};
};

TEST_F(CharacterTest, InPiecesIsPutTogetherWhereverItIsCut) {
  const std::string text = "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80!";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    for (const Ending ending : {Ending::kNone, Ending::kSplit}) {
      log_.taken.clear();
      Print(text.substr(0, cut), ending);
      Print("other", Ending::kLf, Stream::kStderr);
      Print(text.substr(cut), Ending::kLf);
      std::string all;
      for (const std::string& taken : log_.taken) {
        EXPECT_TRUE(IsUtf8(taken)) << cut;
        if (taken != "other\n") all += taken;
      }
      std::erase(all, '|');
      EXPECT_EQ(all, text + "\n");
    }
  }
}

TEST_F(CharacterTest, OfOneBytePieces) {
  for (const char byte : std::string("\xE2\x82\xAC")) Print({&byte, 1}, Ending::kNone);
  EXPECT_THAT(log_.taken, ElementsAre("\xE2\x82\xAC|"));
}

TEST_F(CharacterTest, ThatIsNoneIsNotHeldBack) {
  for (const std::string text :
       {"\xFF", "\xC0", "\xE0\x80", "\xED\xA0", "\xF5", "\x80", "a\xC3\xA9"}) {
    log_.taken.clear();
    Print(text, Ending::kNone);
    EXPECT_THAT(log_.taken, ElementsAre(text + "|"));
  }
}

TEST_F(CharacterTest, ThatIsNeverFinishedComesWithItsLineOrAtTheEnd) {
  Print("a\xE2\x82", Ending::kNone);
  Print("", Ending::kLf);
  EXPECT_THAT(log_.taken, ElementsAre("a|", "\xE2\x82\n"));
  Print("b\xC3", Ending::kNone, Stream::kStderr);
  sink_.Finish();
  EXPECT_THAT(log_.taken, ElementsAre("a|", "\xE2\x82\n", "b|", "\xC3|"));
}

TEST_F(CharacterTest, DoesNotMakeALineTooLong) {
  Print("\xE2\x82", Ending::kNone);
  Print("\xAC" + std::string(capture::kMaxLineBytes - 1, 'x'), Ending::kSplit);
  Print("", Ending::kLf);
  EXPECT_LE(log_.longest, capture::kMaxLineBytes);
  ASSERT_EQ(log_.taken.size(), 3);
  EXPECT_THAT(log_.taken[1], EndsWith("xx|"));
  EXPECT_EQ(log_.taken[0].size() + log_.taken[1].size(), 2 + capture::kMaxLineBytes + 2);
}

TEST_F(CharacterTest, IsNotLostWhereTheLogIsFull) {
  Print("\xC3", Ending::kNone);
  const Line line = Of("\xA9", Ending::kLf);
  log_.full = true;
  EXPECT_FALSE(sink_.TryWrite({&line, 1}));
  EXPECT_FALSE(sink_.TryWrite({&line, 1}));
  log_.full = false;
  EXPECT_TRUE(sink_.TryWrite({&line, 1}));
  EXPECT_THAT(log_.taken, ElementsAre("\xC3\xA9\n"));
}

// A sink that keeps some lines, and tells of what it leaves out.
class KeepingTest : public ::testing::Test {
 protected:
  static constexpr int64_t kKept = 100;

  void Print(const std::string& text, Ending ending) {
    const Line line = Of(text, ending, Stream::kStdout, now_);
    sink_->Write({&line, 1});
  }
  void PrintBar(int states) {
    for (int i = 0; i < states; ++i) Print(absl::StrCat(i), Ending::kCr);
  }

  Recorder log_;
  std::vector<std::string> left_out_;
  FakeClock clock_;
  Scheduler timers_{"timers", &clock_};
  int64_t now_ = 1'000'000'000;
  std::shared_ptr<OverwriteSink> sink_ =
      std::make_shared<OverwriteSink>(&log_, &timers_, kKept, [this](int64_t lines, int64_t) {
        left_out_.push_back(absl::StrCat(lines, " before ", log_.taken.size()));
      });
};

TEST_F(KeepingTest, WhatIsPrintedAtOnceIsKept) {
  PrintBar(kKept);
  Print("end", Ending::kLf);
  EXPECT_EQ(log_.taken.size(), kKept + 1);
  EXPECT_EQ(sink_->Finish().lines, 0);
  EXPECT_THAT(left_out_, IsEmpty());
}

TEST_F(KeepingTest, WhatIsMoreIsLeftOutAndTold) {
  PrintBar(kKept + 50);
  Print("end", Ending::kLf);
  // The first that is too many is kept, since nothing is known to overwrite it, and the last.
  EXPECT_EQ(log_.taken.size(), kKept + 3);
  EXPECT_THAT(left_out_, ElementsAre("48 before 101")) << "before the last state";
  EXPECT_EQ(log_.taken[kKept + 1], "149\r");
  EXPECT_EQ(sink_->Finish().lines, 48);
  EXPECT_EQ(left_out_.size(), 1);
}

TEST_F(KeepingTest, WhatIsLeftOutIsToldNowAndThenAndAtTheEnd) {
  for (int i = 0; i < 15'000; ++i, now_ += 1'000'000) Print("state", Ending::kCr);
  EXPECT_EQ(left_out_.size(), 1) << "after ten of fifteen seconds";
  sink_->Finish();
  EXPECT_EQ(left_out_.size(), 2);
}

TEST_F(KeepingTest, AfterAPauseAsMuchIsKeptAgain) {
  PrintBar(2 * kKept);
  log_.taken.clear();
  now_ += int64_t{3600} * 1'000'000'000;
  PrintBar(kKept);
  EXPECT_GE(log_.taken.size(), kKept);
}

TEST_F(KeepingTest, LongLinesCountAsSeveral) {
  const std::string longer(10 * OverwriteSink::kLineBytes, 'x');
  for (int i = 0; i < kKept; ++i) Print(longer, Ending::kCr);
  EXPECT_LT(log_.taken.size(), kKept / 9);
}

class ShapeTest : public testing::EngineTest {
 protected:
  static std::string Describe(const std::vector<v1::LogLine>& lines) {
    std::string all;
    for (const v1::LogLine& line : lines) {
      if (line.has_gap()) absl::StrAppend(&all, "gap ", line.gap().reason(), ";");
      if (line.has_text())
        absl::StrAppend(&all, line.text(), " ", v1::Ending_Name(line.ending()), ";");
      if (line.has_raw()) absl::StrAppend(&all, "raw;");
    }
    return all;
  }
};

TEST_F(ShapeTest, CrLfIsTheEndingAndNotInTheText) {
  AddJob(Job("job", [](JobContext&) {
    std::cout << "a\r\n\r\nb" << std::flush << "\r\nc\r\r\n" << std::flush;
  }));
  const std::vector<v1::LogLine> lines = Run("job");
  EXPECT_EQ(Describe(lines),
            "a ENDING_CRLF; ENDING_CRLF;b ENDING_NONE; ENDING_CRLF;c ENDING_CR; ENDING_CRLF;");
  EXPECT_EQ(lines.back().result().total_bytes(), 12);
  EXPECT_EQ(lines.back().result().total_lines(), 5);
}

TEST_F(ShapeTest, ACharacterInPiecesIsText) {
  AddJob(Job("job", [](JobContext&) {
    std::cout << "caf\xC3" << std::flush << "\xA9!" << std::flush << "\n\xE2" << std::flush;
  }));
  EXPECT_EQ(Describe(Run("job")), "caf ENDING_NONE;\xC3\xA9! ENDING_NONE; ENDING_LF;raw;");
}

TEST_F(ShapeTest, DataThatEndsInCrAloneIsKept) {
  AddJob(Job("job", [](JobContext&) {
    for (int i = 0; i < 1000; ++i) printf("line %d\r", i);
  }));
  const std::vector<v1::LogLine> lines = Run("job");
  EXPECT_EQ(lines.size(), 1001);
  EXPECT_EQ(lines[999].text(), "line 999");
  EXPECT_EQ(lines.back().result().overwritten_lines(), 0);
}

TEST_F(ShapeTest, AGapSaysWhatOfAProgressBarIsLeftOut) {
  AddJob(Job("job", [](JobContext&) {
           for (int i = 0; i < 100'000; ++i) printf("line %d\r", i);
           printf("done\n");
         }).ThinOverwritten());
  const std::vector<v1::LogLine> lines = Run("job");
  int64_t missing = 0;
  int64_t texts = 0;
  for (const v1::LogLine& line : lines) {
    texts += line.has_text() ? 1 : 0;
    if (!line.has_gap()) continue;
    EXPECT_EQ(line.gap().reason(), v1::GAP_REASON_OVERWRITTEN);
    missing += line.gap().last() - line.gap().first() + 1;
  }
  const v1::RunResult& result = lines.back().result();
  EXPECT_EQ(missing, result.overwritten_lines());
  EXPECT_EQ(missing + texts, 100'001);
  EXPECT_EQ(lines.back().sequence(), 100'002);
  EXPECT_GT(missing, 0);
  EXPECT_EQ(lines[lines.size() - 2].text(), "done");
}

}  // namespace
}  // namespace jobtail
