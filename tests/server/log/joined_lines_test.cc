// Tests of lines that came in pieces: they are found and handed out as lines.

#include "server/log/joined_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/cursor.h"
#include "tests/server/log/pieces_fixture.h"

namespace jobtail {
namespace {

using testing::Decode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kHour;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::Sequences;
using testing::Texts;

v1::TailLogRequest RequestOf(const std::string& pattern, int64_t from = 1) {
  v1::TailLogRequest request;
  request.set_pattern(pattern);
  request.set_from_sequence(from);
  return request;
}

class JoinedLinesTest : public testing::PiecesTest {
 protected:
  std::vector<std::string> Read(const std::vector<TextLine>& lines, const std::string& pattern) {
    return Texts(RecordsOf(ReadToEnd(LogOf(lines), RequestOf(pattern))));
  }
};

TEST_F(JoinedLinesTest, AreFoundAcrossTheirPieces) {
  const std::vector<TextLine> lines = {Out("before"), Out("ERR", v1::ENDING_NONE), Out("OR: full"),
                                       Out("after")};
  EXPECT_THAT(Read(lines, "ERROR"), ElementsAre("ERR", "OR: full", "result"));
  EXPECT_THAT(Read(lines, "(?i)error: full$"), ElementsAre("ERR", "OR: full", "result"));
  EXPECT_THAT(Read(lines, "^ERROR"), ElementsAre("ERR", "OR: full", "result"));
  EXPECT_THAT(Read(lines, "^OR"), ElementsAre("result"));
  EXPECT_THAT(Read(lines, "ERR$"), ElementsAre("result")) << "the line goes on";
  EXPECT_THAT(Read(lines, "R{2}\\b"), ElementsAre("result"));
  EXPECT_THAT(Read(lines, "full"), ElementsAre("ERR", "OR: full", "result"));
}

TEST_F(JoinedLinesTest, AreOfOneStreamEach) {
  const std::vector<TextLine> lines = {Out("test a ... ", v1::ENDING_NONE),
                                       Err("ERR", v1::ENDING_NONE),
                                       Err("no"),
                                       Out("FAI", v1::ENDING_SPLIT),
                                       Err("quiet"),
                                       Out("LED"),
                                       Out("OR", v1::ENDING_NONE)};
  EXPECT_THAT(Read(lines, "FAILED"), ElementsAre("test a ... ", "FAI", "LED", "result"));
  EXPECT_THAT(Read(lines, "ERROR"), ElementsAre("result"));
  EXPECT_THAT(Read(lines, "ERRno"), ElementsAre("ERR", "no", "result"));
  EXPECT_THAT(Read(lines, "a|quiet"), ElementsAre("test a ... ", "FAI", "quiet", "LED", "result"));
  EXPECT_THAT(Read(lines, "OR$"), ElementsAre("OR", "result")) << "it ends with the log";
}

TEST_F(JoinedLinesTest, EndWithLinesThatAreMissing) {
  std::string batch;
  EncodeLine(1, 1, Out("ERR", v1::ENDING_NONE), &batch);
  EncodeLine(GapRecord(2, 9, v1::GAP_REASON_DROPPED, 2), &batch);
  EncodeLine(10, 3, Out("OR"), &batch);
  const auto pass = [&](const std::string& pattern) {
    std::vector<Slice> slices;
    (*LogFilter::Make(RequestOf(pattern)))->Apply({Share(batch), 0, batch.size()}, &slices);
    return Sequences(Decode(slices));
  };
  EXPECT_THAT(pass("ERROR"), ElementsAre(9));
  EXPECT_THAT(pass("^ERR$"), ElementsAre(1, 9));
}

// What a progress bar overwrote were whole lines: those around it go on.
class LineAroundAGapTest : public JoinedLinesTest {
 protected:
  void SetUp() override {
    Print(Err("before"));
    Print(Err("ERR", v1::ENDING_NONE));
    log_->LeaveOut(6, v1::GAP_REASON_OVERWRITTEN, ++printed_ * kHour);
    Print(Out("100%"));
    Print(Err("OR"));
  }
  void Print(TextLine line) {
    line.time_unix_nanos = ++printed_ * kHour;
    log_->Append({line});
  }
  std::vector<int64_t> Read(const v1::TailLogRequest& request) {
    return Sequences(RecordsOf(ReadToEnd(log_, request)));
  }

  const std::shared_ptr<Log> log_ = MakeLog();
  int64_t printed_ = 0;
};

TEST_F(LineAroundAGapTest, IsFoundAsOne) {
  EXPECT_THAT(Read(RequestOf("ERROR")), ElementsAre(2, 8, 10));
  EXPECT_THAT(Read(RequestOf("^ERR$|^OR")), ElementsAre(8));
}

TEST_F(LineAroundAGapTest, IsFoundAsOneByASearchThatBeginsWithin) {
  EXPECT_THAT(Read(RequestOf("ERROR", 8)), ElementsAre(8, 10));
  EXPECT_THAT(Read(RequestOf("ERROR", 9)), ElementsAre(10));
  EXPECT_THAT(Read(RequestOf("ERROR", 10)), ElementsAre(10));
  EXPECT_THAT(Read(RequestOf("^OR", 10)), IsEmpty());
}

TEST_F(LineAroundAGapTest, IsCountedAsOne) {
  EXPECT_THAT(Read(LastLines(1)), ElementsAre(2, 8, 9, 10));
  EXPECT_THAT(Read(LastLines(2)), ElementsAre(2, 8, 9, 10));
  EXPECT_THAT(Read(LastLines(4)), ElementsAre(1, 2, 8, 9, 10)) << "the gap counts as one";
  Finish(*log_);
  EXPECT_EQ(ReadToEnd(log_, {}).back().result().total_lines(), 3);
}

TEST_F(JoinedLinesTest, WithCrLfEndBeforeIt) {
  const std::vector<TextLine> lines = {Out("full", v1::ENDING_CRLF), Out("full\r"), Out("full x")};
  EXPECT_THAT(Read(lines, "^full$"), ElementsAre("full", "full\r", "result"));
  EXPECT_THAT(Read({Out("fu", v1::ENDING_NONE), Out("ll\r")}, "^full$"),
              ElementsAre("fu", "ll\r", "result"));
}

// The plain way: every line is put together, and its records pass or do not.
std::vector<int64_t> Expected(const std::vector<TextLine>& records, const std::string& pattern,
                              int64_t from) {
  std::array<std::vector<int64_t>, 2> open;
  std::array<std::string, 2> text;
  std::set<int64_t> passed;
  const RE2 expression(pattern, RE2::Latin1);
  const auto end = [&](int stream) {
    if (RE2::PartialMatch(text[stream], expression)) {
      passed.insert(open[stream].begin(), open[stream].end());
    }
    open[stream].clear();
    text[stream].clear();
  };
  int64_t sequence = 0;
  for (const TextLine& record : records) {
    const int stream = record.stream == v1::STREAM_STDERR ? 1 : 0;
    open[stream].push_back(++sequence);
    text[stream] += record.text;
    if (EndsLine(record.ending)) end(stream);
  }
  for (const int stream : {0, 1}) {
    if (!open[stream].empty()) end(stream);
  }
  passed.insert(sequence + 1);  // the result
  return {passed.lower_bound(from), passed.end()};
}

// From every record on, and with every place to go on from as a reader is told it, at all sizes of
// reading.
TEST_F(JoinedLinesTest, PassAsWholesWhereverASearchBegins) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 dice(seed);
    const auto below = [&](size_t bound) { return dice() % bound; };
    const std::vector<std::string> words = {"a", "b", "ab", "ba", "x", ""};
    const std::vector<std::string> patterns = {"ab",     "abab", "^a",     "b$",   "^$",  "a.b",
                                               "b[ax]b", "\\bx", "(?i)BA", "ba+b", "x|aa"};
    const std::string& pattern = patterns[below(patterns.size())];
    const size_t whole = 1 + below(4);  // one record in so many ends its line
    std::vector<TextLine> records;
    for (size_t i = 0, count = 1 + below(40); i < count; ++i) {
      const v1::Ending ending = below(whole) == 0 ? v1::ENDING_LF
                                : below(2) == 0   ? v1::ENDING_NONE
                                                  : v1::ENDING_SPLIT;
      records.push_back(Record(below(3) == 0 ? v1::STREAM_STDERR : v1::STREAM_STDOUT, ending,
                               words[below(words.size())]));
    }
    const auto log = MakeLog({}, absl::StrCat("run", ++logs_));
    for (size_t i = 0; i < records.size();) {
      const size_t count = std::min(records.size() - i, 1 + below(5));
      // After a pause: a batch of its own.
      for (size_t k = i; k < i + count; ++k) records[k].time_unix_nanos = kHour * (i + 1);
      log->Append(absl::MakeConstSpan(records).subspan(i, count));
      i += count;
    }
    Finish(*log);
    const auto last = static_cast<int64_t>(records.size()) + 1;
    for (int64_t from = 1; from <= last; ++from) {
      ASSERT_EQ(Sequences(ReadToEnd(log, RequestOf(pattern, from))),
                Expected(records, pattern, from))
          << seed << ": " << pattern << " from " << from;
    }
    // A reader whose stream breaks soon after it has got on.
    std::vector<int64_t> found;
    for (int64_t from = 1; from <= last;) {
      const auto cursor = *Cursor::Open(log, RequestOf(pattern, from));
      std::vector<Slice> slices;
      for (size_t reads = 1 + below(3); reads > 0; reads -= cursor->next() > from ? 1 : 0) {
        if (*cursor->Read(1, &slices) == Cursor::Next::kEnd) break;
      }
      for (const int64_t sequence : Sequences(RecordsOf(Decode(slices)))) found.push_back(sequence);
      from = cursor->next();
    }
    ASSERT_EQ(found, Expected(records, pattern, 1)) << seed << ": " << pattern;
  }
}

// The second thread's part may begin within a line.
TEST_F(JoinedLinesTest, PassAsWholesWhereTwoThreadsSearch) {
  const std::string padding(100, '.');
  const std::string hit = "a" + padding;
  const std::string rest = padding + "b";
  std::vector<TextLine> records(40'000, Out(rest));
  // A line over each border between two batches: these depend on sizes alone.
  const auto plain = LogOf(records);
  for (int64_t last = 0; last + 1 < 40'000; last = (*plain->Read(last + 1))->last) {
    if (last > 0) records[last - 1] = Out(hit, v1::ENDING_NONE);
  }
  const auto log = LogOf(records);
  const std::string pattern = "a[.]{200}b";
  std::vector<int64_t> found;
  int parts = 0;
  const auto cursor = *Cursor::Open(log, RequestOf(pattern));
  cursor->ShareSearch([&parts](const std::function<void()>& search) {
    ++parts;
    search();
  });
  for (auto next = Cursor::Next::kMore; next == Cursor::Next::kMore;) {
    std::vector<Slice> slices;
    next = *cursor->Read(16 << 10, &slices);
    for (const int64_t sequence : Sequences(RecordsOf(Decode(slices)))) found.push_back(sequence);
  }
  EXPECT_GT(parts, 1);
  EXPECT_EQ(found, Expected(records, pattern, 1));
  EXPECT_GT(found.size(), 60) << "two records for each border";
}

class LiveLineTest : public JoinedLinesTest {
 protected:
  std::vector<std::string> Next() {
    std::vector<Slice> slices;
    EXPECT_EQ(*cursor_->Read(1 << 20, &slices), Cursor::Next::kWait);
    return Texts(RecordsOf(Decode(slices)));
  }
  void Follow(const std::string& pattern) {
    v1::TailLogRequest request = RequestOf(pattern);
    request.set_follow(true);
    cursor_ = *Cursor::Open(log_, request);
  }
  void Print(TextLine line) {
    line.time_unix_nanos = kHour * ++printed_;  // stored at once
    log_->Append({line});
  }

  const std::shared_ptr<Log> log_ = LogOf({}, /*ended=*/false);
  std::unique_ptr<Cursor> cursor_;
  int64_t printed_ = 0;
};

TEST_F(LiveLineTest, IsShownAsSoonAsItIsKnownToMatch) {
  Follow("ERR");
  Print(Out("ERR", v1::ENDING_NONE));
  EXPECT_THAT(Next(), ElementsAre("ERR"));
  Print(Out(" ...", v1::ENDING_NONE));
  EXPECT_THAT(Next(), ElementsAre(" ..."));
  Print(Out(""));
  EXPECT_THAT(Next(), ElementsAre(""));
  Print(Out("no"));
  EXPECT_THAT(Next(), IsEmpty());
}

TEST_F(LiveLineTest, IsWaitedForByTheOtherStream) {
  Follow("FAILED|assert");
  Print(Out("test a ... ", v1::ENDING_NONE));
  EXPECT_THAT(Next(), IsEmpty());
  EXPECT_EQ(cursor_->next(), 1);
  EXPECT_EQ(cursor_->ReadsAt(), absl::InfiniteDuration()) << "nothing waits";
  Print(Err("assert x"));
  EXPECT_THAT(Next(), IsEmpty());
  Print(Out("FAILED"));
  EXPECT_THAT(Next(), ElementsAre("test a ... ", "assert x", "FAILED"));
  EXPECT_EQ(cursor_->next(), 4);
  EXPECT_EQ(cursor_->ReadsAt(), absl::InfiniteDuration());
}

TEST_F(LiveLineTest, IsNotWaitedForForLong) {
  Follow("FAILED|assert");
  Print(Out("test a ... ", v1::ENDING_NONE));
  Print(Err("assert x"));
  EXPECT_THAT(Next(), IsEmpty());
  EXPECT_EQ(cursor_->next(), 1);
  EXPECT_LE(cursor_->ReadsAt(), clock_.Steady() + kWaitForLine);
  clock_.Advance(kWaitForLine);
  EXPECT_GE(clock_.Steady(), cursor_->ReadsAt());
  EXPECT_THAT(Next(), ElementsAre("assert x"));
  EXPECT_EQ(cursor_->next(), 3);
  EXPECT_EQ(cursor_->ReadsAt(), absl::InfiniteDuration());
  Print(Out("FAILED"));
  EXPECT_THAT(Next(), ElementsAre("FAILED")) << "in order, and so without its beginning";
}

TEST_F(LiveLineTest, SaysWhatOfItWasGivenUp) {
  Follow("FAILED|assert");
  const auto give_up = [this] {
    EXPECT_THAT(Next(), IsEmpty());
    clock_.Advance(kWaitForLine);
    EXPECT_THAT(Next(), ElementsAre("assert"));
  };
  Print(Out("test a ", v1::ENDING_NONE));
  Print(Err("assert"));
  give_up();
  Print(Out("... ", v1::ENDING_NONE));
  Print(Err("assert"));
  give_up();
  Print(Out("FAI", v1::ENDING_NONE));
  EXPECT_THAT(Next(), IsEmpty());
  Print(Out("LED"));
  std::vector<Slice> slices;
  EXPECT_EQ(*cursor_->Read(1 << 20, &slices), Cursor::Next::kWait);
  const std::vector<v1::LogLine> lines = Decode(slices);
  EXPECT_THAT(Sequences(lines), ElementsAre(0, 5, 6));
  EXPECT_EQ(lines[0].cut().first(), 1);
  EXPECT_EQ(lines[0].cut().last(), 3);
  EXPECT_EQ(lines[0].stream(), v1::STREAM_STDOUT);

  Print(Out("test b ", v1::ENDING_NONE));
  Print(Err("assert"));
  give_up();
  Print(Out("ok"));
  Print(Out("FAILED"));
  slices.clear();
  EXPECT_EQ(*cursor_->Read(1 << 20, &slices), Cursor::Next::kWait);
  EXPECT_THAT(Sequences(Decode(slices)), ElementsAre(10)) << "nothing of what does not match";
}

// Though nothing is left of it that could come.
TEST_F(LiveLineTest, SaysSoAtTheEndOfTheLog) {
  Follow("assert|x$");
  Print(Out("x", v1::ENDING_NONE));
  Print(Err("assert"));
  EXPECT_THAT(Next(), IsEmpty());
  clock_.Advance(kWaitForLine);
  EXPECT_THAT(Next(), ElementsAre("assert"));
  Finish(*log_);
  std::vector<Slice> slices;
  EXPECT_EQ(*cursor_->Read(1 << 20, &slices), Cursor::Next::kEnd);
  const std::vector<v1::LogLine> lines = Decode(slices);
  ASSERT_EQ(lines.size(), 3) << "the run as it is now, the cut and the result";
  EXPECT_EQ(lines[1].cut().first(), 1);
  EXPECT_TRUE(lines[2].has_result());
}

// Of a line of any length, what is near a match comes; and the search holds no more than that.
TEST_F(JoinedLinesTest, MayBeLongerThanMemory) {
  const std::string piece(60'000, 'x');
  std::vector<TextLine> records(100, Out(piece, v1::ENDING_SPLIT));
  const std::string first = "need" + piece;
  const std::string second = "le" + piece;
  records[60] = Out(piece + "need", v1::ENDING_SPLIT);
  records[61] = Out("le" + std::string(piece), v1::ENDING_SPLIT);
  const std::string& last = second;
  records[61].text = last;
  const std::string torn = piece + "need";
  records[60].text = torn;
  records.push_back(Out("end"));
  records.push_back(Out("other"));
  const auto log = LogOf(records);
  const auto cursor = *Cursor::Open(log, RequestOf("needle"));
  const std::vector<v1::LogLine> answer = ReadToEnd(*cursor);
  const std::vector<int64_t> found = Sequences(RecordsOf(answer));
  ASSERT_FALSE(found.empty());
  int cuts = 0;
  for (const v1::LogLine& line : answer) {
    if (!line.has_cut()) continue;
    ++cuts;
    EXPECT_EQ(line.cut().first(), 1);
    EXPECT_EQ(line.cut().last(), found.front() - 1);
  }
  EXPECT_EQ(cuts, 1);
  EXPECT_LE(found.front(), 61) << "the record in which the match begins";
  EXPECT_GE(found.front(), 61 - 10);
  EXPECT_EQ(found.back(), 103) << "the result";
  EXPECT_EQ(found[found.size() - 2], 101) << "to its end";
  EXPECT_EQ(found.size(), static_cast<size_t>(101 - found.front() + 1 + 1));
  EXPECT_THAT(Sequences(ReadToEnd(log, RequestOf("^needle"))), ElementsAre(103));
  EXPECT_THAT(Sequences(ReadToEnd(log, RequestOf("^other"))), ElementsAre(102, 103));
}

// Whatever it waits for: here a prompt that nobody has answered.
TEST(JoinedLinesBoundTest, HoldsNoMoreThanItMayOfALineThatMatches) {
  const Matcher matcher{.pattern = std::make_shared<RE2>("match")};
  JoinedLines lines;
  std::vector<Slice> out;
  int64_t sequence = 0;
  const auto take = [&](v1::Stream stream, const std::string& text) {
    v1::LogBatch batch;
    v1::LogLine* const line = batch.add_lines();
    line->set_sequence(++sequence);
    line->set_stream(stream);
    line->set_ending(v1::ENDING_NONE);
    line->set_text(text);
    PlainLine piece;
    piece.stream = stream;
    piece.ending = v1::ENDING_NONE;
    piece.text = text;
    lines.Take(piece, batch.SerializeAsString(), matcher, &out);
  };
  take(v1::STREAM_STDERR, "password: ");
  take(v1::STREAM_STDOUT, "match ");
  constexpr size_t kBytes = 10 << 20;
  for (size_t i = 0; i < kBytes; i += 10 << 10) {
    take(v1::STREAM_STDOUT, std::string(10 << 10, 'x'));
  }
  size_t handed_out = 0;
  for (const Slice& slice : out) handed_out += slice.size;
  EXPECT_GE(handed_out, kBytes - JoinedLines::kMostHeld);
}

}  // namespace
}  // namespace jobtail
