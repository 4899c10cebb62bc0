// Tests of filters by stream and pattern.

#include "server/log/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using testing::Decode;
using ::testing::ElementsAre;
using testing::Err;
using ::testing::HasSubstr;
using testing::kHour;
using testing::Out;
using testing::ReadToEnd;
using testing::RecordsOf;
using testing::Texts;

v1::TailLogRequest Streams(const std::vector<v1::Stream>& streams) {
  v1::TailLogRequest request;
  for (const v1::Stream stream : streams) request.add_streams(stream);
  return request;
}

v1::TailLogRequest Pattern(const std::string& pattern) {
  v1::TailLogRequest request;
  request.set_pattern(pattern);
  return request;
}

class Filter : public testing::LogTest {
 protected:
  std::vector<std::string> Read(const std::vector<TextLine>& lines,
                                const v1::TailLogRequest& request) {
    const auto log = MakeLog({}, absl::StrCat("run", ++logs_));
    log->Append(lines);
    Finish(*log);
    return Texts(RecordsOf(ReadToEnd(log, request)));
  }

  int logs_ = 0;
};

TEST_F(Filter, IsNoneWhereEverythingIsWanted) {
  EXPECT_EQ(*LogFilter::Make({}), nullptr);
  EXPECT_NE(*LogFilter::Make(Pattern("x")), nullptr);
}

TEST_F(Filter, ByStreamPassesItsLinesAndTheResult) {
  const std::vector<TextLine> lines = {Out("o1"), Err("e1"), Err("e2"), Out("o2")};
  EXPECT_THAT(Read(lines, Streams({v1::STREAM_STDOUT})), ElementsAre("o1", "o2", "result"));
  EXPECT_THAT(Read(lines, Streams({v1::STREAM_STDERR})), ElementsAre("e1", "e2", "result"));
  EXPECT_THAT(Read(lines, Streams({v1::STREAM_STDERR, v1::STREAM_STDOUT})),
              ElementsAre("o1", "e1", "e2", "o2", "result"));
}

TEST_F(Filter, ByPatternPassesLinesInWhichItIsFound) {
  const std::vector<TextLine> lines = {Out("an error"), Out("fine"), Err("errors: 3"), Out("")};
  EXPECT_THAT(Read(lines, Pattern("error")), ElementsAre("an error", "errors: 3", "result"));
  EXPECT_THAT(Read(lines, Pattern("^error")), ElementsAre("errors: 3", "result"));
  EXPECT_THAT(Read(lines, Pattern("(?i)FINE$")), ElementsAre("fine", "result"));
  EXPECT_THAT(Read(lines, Pattern("^$")), ElementsAre("", "result"));
  EXPECT_THAT(Read(lines, Pattern("nothing like that")), ElementsAre("result"));
}

// All that is looked at together: text that seems to go on in the next line is no match.
TEST_F(Filter, ByLiteralStopsAtTheEndOfALine) {
  const std::vector<TextLine> lines = {Out("first need"), Out("le second"), Out(""),
                                       Err("needle"),     Out("need"),      Err("le"),
                                       Out("a needle")};
  EXPECT_THAT(Read(lines, Pattern("needle")), ElementsAre("needle", "a needle", "result"));
  EXPECT_THAT(Read(lines, Pattern("(?i)NEED(LE)")), ElementsAre("needle", "a needle", "result"));
}

TEST_F(Filter, ByLiteralFindsItInTheFirstAndTheLastLineOfManyBatches) {
  const std::string padding(kBatchBytes / 10, '.');
  std::vector<std::string> texts;
  for (int i = 1; i <= 100; ++i) {
    texts.push_back(absl::StrCat(i % 10 < 2 ? "needle" : "no", i, padding));
    texts.push_back("");
  }
  std::vector<TextLine> lines;
  std::vector<std::string> wanted;
  for (const std::string& text : texts) {
    lines.push_back(Out(text));
    if (absl::StartsWith(text, "needle")) wanted.push_back(text);
  }
  wanted.push_back("result");
  EXPECT_EQ(Read(lines, Pattern("needle")), wanted);
}

TEST_F(Filter, ByBothPassesWhatSatisfiesBoth) {
  v1::TailLogRequest request = Streams({v1::STREAM_STDERR});
  request.set_pattern("a");
  EXPECT_THAT(Read({Out("a"), Err("a"), Err("b")}, request), ElementsAre("a", "result"));
}

TEST_F(Filter, ByPatternLooksIntoLinesThatAreNotUtf8) {
  const std::vector<TextLine> lines = {Out("caf\xE9 open"), Out("caf\xE9 closed"), Out("\xFF")};
  EXPECT_THAT(Read(lines, Pattern("open")), ElementsAre("caf\xE9 open", "result"));
  EXPECT_THAT(Read(lines, Pattern("\\xE9 c")), ElementsAre("caf\xE9 closed", "result"));
}

TEST_F(Filter, ByPatternUnderstandsUtf8) {
  const std::vector<TextLine> lines = {Out("caf\xC3\xA9"), Out("cafe"), Out("caf\xC3\x89")};
  EXPECT_THAT(Read(lines, Pattern("f\xC3\xA9$")), ElementsAre("caf\xC3\xA9", "result"));
  EXPECT_THAT(Read(lines, Pattern("(?i)f\xC3\xA9$")),
              ElementsAre("caf\xC3\xA9", "caf\xC3\x89", "result"));
}

TEST_F(Filter, DoesNotTakeTheTerminatorForAPartOfTheLine) {
  EXPECT_THAT(Read({Out("line")}, Pattern("\n")), ElementsAre("result"));
}

TEST_F(Filter, KeepsNeighboursInOnePieceOfTheSameBytes) {
  std::string bytes;
  for (const std::string text : {"a", "a", "b", "a"}) EncodeLine(1, 0, Out(text), &bytes);
  const Slice all{Share(bytes), 0, bytes.size()};
  std::vector<Slice> passed;
  (*LogFilter::Make(Pattern("a")))->Apply(all, &passed);
  ASSERT_EQ(passed.size(), 2);
  EXPECT_EQ(passed[0].buffer, all.buffer);
  EXPECT_THAT(Texts(Decode(passed[0].view())), ElementsAre("a", "a"));
  EXPECT_THAT(Texts(Decode(passed[1].view())), ElementsAre("a"));
}

TEST_F(Filter, LetsWhatIsNotTextPass) {
  v1::LogLine gap;
  gap.set_sequence(5);
  gap.mutable_gap()->set_first(2);
  std::string bytes;
  EncodeLine(1, 0, Out("line"), &bytes);
  EncodeLine(gap, &bytes);
  const Slice all{Share(bytes), 0, bytes.size()};
  std::vector<Slice> passed;
  (*LogFilter::Make(Pattern("x")))->Apply(all, &passed);
  ASSERT_EQ(passed.size(), 1);
  EXPECT_TRUE(Decode(passed).at(0).has_gap());
}

TEST_F(Filter, MayRejectAllThatWasReadAndAskToGoOn) {
  const auto log = MakeLog();
  const std::string text(1000, 'x');
  for (int i = 1; i <= 100; ++i) log->Append({Out(text, i * kHour)});
  const auto cursor = Cursor::Open(log, Pattern("y"));
  ASSERT_TRUE(cursor.ok());
  std::vector<Slice> slices;
  EXPECT_EQ(*(*cursor)->Read(3000, &slices), Cursor::Next::kMore);
  EXPECT_TRUE(slices.empty());
  EXPECT_GT((*cursor)->next(), 1) << "what was rejected counts as read";
}

TEST_F(Filter, RefusesAPatternThatIsNone) {
  const absl::Status refusal = LogFilter::Make(Pattern("a(b")).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refusal.message(), HasSubstr("pattern \"a(b\": missing ): a(b; see RE2's syntax"));
}

TEST_F(Filter, RefusesAPatternThatIsTooCostly) {
  EXPECT_EQ(LogFilter::Make(Pattern("((a{100}){100}){100}")).status().code(),
            absl::StatusCode::kInvalidArgument);
  const absl::Status refusal = LogFilter::Make(Pattern(std::string(5000, 'a'))).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refusal.message(), "pattern: 5000 bytes; at most 4096 are allowed");
}

TEST_F(Filter, RefusesAPatternThatTakesLongForEachByte) {
  const absl::Status refusal = LogFilter::Make(Pattern("(.{1,900})(.{1,900})z")).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refusal.message(), HasSubstr("too costly"));
  for (const char* ordinary :
       {"error|warning", R"(^\d{4}-\d{2}-\d{2} .*\bfailed\b)", "[[:alpha:]]+"}) {
    EXPECT_TRUE(LogFilter::Make(Pattern(ordinary)).ok()) << ordinary;
  }
}

TEST_F(Filter, ARefusalIsShortHoweverLongThePattern) {
  EXPECT_LT(LogFilter::Make(Pattern(std::string(4000, '('))).status().message().size(), 1000u);
}

TEST_F(Filter, RefusesAStreamThatIsNone) {
  for (const int stream : {0, 3, -1}) {
    const absl::Status refusal =
        LogFilter::Make(Streams({static_cast<v1::Stream>(stream)})).status();
    EXPECT_EQ(refusal.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(refusal.message(), HasSubstr(absl::StrCat("streams: ", stream, " is no stream")));
  }
}

}  // namespace
}  // namespace jobtail
