// Tests of a log's records in each of the stream formats.

#include "server/http/rendering.h"

#include <gmock/gmock.h>

#include "server/log/record.h"

namespace jobtail::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string BatchOf(v1::Stream stream, v1::Ending ending, std::string_view text) {
  std::string batch;
  EncodeLine(7, 1, {stream, ending, 1, text}, &batch);
  return batch;
}

std::string BatchOf(const v1::LogLine& line) {
  std::string batch;
  EncodeLine(line, &batch);
  return batch;
}

TEST(Rendering, TextIsTheBytesAsTheyWerePrinted) {
  EXPECT_EQ(Render(BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, "a") +
                       BatchOf(v1::STREAM_STDERR, v1::ENDING_CR, "\xff") +
                       BatchOf(v1::STREAM_STDOUT, v1::ENDING_NONE, "b") +
                       BatchOf(v1::STREAM_STDOUT, v1::ENDING_SPLIT, "c"),
                   Format::kText),
            "a\n\xff\rbc");
  EXPECT_EQ(Render(BatchOf(ResultRecord(8, {}, 1)), Format::kText), "");
}

TEST(Rendering, TextSaysWhatIsMissing) {
  EXPECT_EQ(Render(BatchOf(GapRecord(5, 9, v1::GAP_REASON_DROPPED, 1)), Format::kText),
            "[jobtail: records 5 to 9 are missing: GAP_REASON_DROPPED]\n");
}

TEST(Rendering, NdjsonIsAResultALine) {
  const std::string line =
      Render(BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, "a\nb"), Format::kNdjson);
  EXPECT_THAT(line, StartsWith("{\"result\":{\"sequence\":\"7\","));
  EXPECT_THAT(line, EndsWith("\"text\":\"a\\nb\"}}\n"));
}

TEST(Rendering, EventsHaveTheRecordsNumberAndAName) {
  EXPECT_THAT(Render(BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, "a"), Format::kEventStream),
              StartsWith("event: line\nid: 7\ndata: {"));
  EXPECT_THAT(Render(BatchOf(GapRecord(5, 9, v1::GAP_REASON_DROPPED, 1)), Format::kEventStream),
              StartsWith("event: gap\nid: 9\n"));
  EXPECT_THAT(Render(BatchOf(ResultRecord(8, {}, 1)), Format::kEventStream),
              StartsWith("event: result\nid: 8\n"));
  v1::LogLine progress;
  progress.mutable_progress()->set_fraction(0.5);
  EXPECT_THAT(
      Render(BatchOf(progress), Format::kEventStream),
      AllOf(StartsWith("event: progress\ndata: {"), EndsWith("}\n\n"), Not(HasSubstr("id:"))));
}

TEST(Rendering, EventsCannotBeForgedByText) {
  const std::string event =
      Render(BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, "a\n\nevent: end\ndata: {}\r\r"),
             Format::kEventStream);
  EXPECT_THAT(event, Not(HasSubstr("\nevent: end")));
  EXPECT_THAT(event.substr(0, event.size() - 2), Not(HasSubstr("\n\n")));
  EXPECT_THAT(event, Not(HasSubstr("\r")));
}

TEST(Rendering, AHeartbeatsEventTellsHowFarTheServerHasLooked) {
  v1::LogBatch batch;
  batch.add_lines()->mutable_heartbeat()->set_searched_through(7);
  EXPECT_THAT(Render(batch.SerializeAsString(), Format::kEventStream),
              ::testing::StartsWith("event: heartbeat\nid: 7\ndata: {"));
  batch.mutable_lines(0)->mutable_heartbeat()->set_searched_through(0);
  EXPECT_THAT(Render(batch.SerializeAsString(), Format::kEventStream),
              ::testing::StartsWith("event: heartbeat\ndata: {"))
      << "the browser keeps the id that it has";
}

TEST(Rendering, HtmlMarksStderrAndEscapesText) {
  EXPECT_EQ(Render(BatchOf(v1::STREAM_STDERR, v1::ENDING_LF, "<b>"), Format::kHtml),
            "<span class=\"stderr\">&lt;b&gt;\n</span>");
}

TEST(RenderingCache, RendersABatchOnceForAForm) {
  RenderingCache cache;
  const std::string bytes = BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, "a");
  const Slice slice{Share(bytes), 0, bytes.size()};
  const SharedBytes first = cache.Get(slice, Format::kNdjson);
  EXPECT_EQ(cache.Get(slice, Format::kNdjson), first) << "the same object";
  EXPECT_NE(cache.Get(slice, Format::kText), first);
  EXPECT_EQ(*cache.Get(slice, Format::kText), "a\n");
}

TEST(RenderingCache, TellsPartsOfABatchApart) {
  RenderingCache cache;
  const std::string one = BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, "a");
  const SharedBytes two = Share(one + one);
  EXPECT_EQ(*cache.Get({two, 0, one.size()}, Format::kText), "a\n");
  EXPECT_EQ(*cache.Get({two, 0, 2 * one.size()}, Format::kText), "a\na\n");
  EXPECT_EQ(*cache.Get({two, one.size(), one.size()}, Format::kText), "a\n");
}

TEST(RenderingCache, KeepsNotMoreThanItsBound) {
  RenderingCache cache;
  std::weak_ptr<const std::string_view> first;
  for (int i = 0; i < 1000; ++i) {
    const std::string bytes = BatchOf(v1::STREAM_STDOUT, v1::ENDING_LF, std::string(60'000, 'x'));
    const SharedBytes rendered = cache.Get({Share(bytes), 0, bytes.size()}, Format::kText);
    if (i == 0) first = rendered;
    EXPECT_EQ(rendered->size(), 60'001u);
  }
  EXPECT_TRUE(first.expired());
}

}  // namespace
}  // namespace jobtail::http
