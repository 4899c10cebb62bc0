// Tests of line views, against the messages of the protobuf library.

#include "client/line_view.h"

#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobtail/v1/log.pb.h"

namespace jobtail::client {
namespace {

v1::LogLine MakeLine(int64_t sequence, const std::string& text) {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.mutable_time()->set_seconds(1'700'000'000);
  line.mutable_time()->set_nanos(123'456'789);
  line.set_stream(v1::STREAM_STDERR);
  line.set_ending(v1::ENDING_CR);
  line.set_text(text);
  return line;
}

// An element of a LogBatch whose LogLine has these bytes.
std::string Element(const std::string& line) {
  std::string element = "\x0A";
  element.push_back(static_cast<char>(line.size()));
  return element + line;
}

bool CanView(const std::string& batch) {
  LineViews views;
  return views.Parse({batch});
}

TEST(LineView, HasWhatTheMessageHas) {
  v1::LogBatch batch;
  const int64_t largest = kMaxSequence;
  for (const int64_t sequence :
       {int64_t{1}, int64_t{127}, int64_t{128}, int64_t{70'000}, largest}) {
    for (const size_t size : {0, 1, 80, 127, 128, 20'000, 3'000'000}) {
      *batch.add_lines() = MakeLine(sequence, std::string(size, 'x'));
    }
  }
  v1::LogLine* const raw = batch.add_lines();
  raw->set_sequence(5);
  raw->set_raw("\xFF");
  const std::string bytes = batch.SerializeAsString();
  LineViews parsed;
  ASSERT_TRUE(parsed.Parse({bytes}));
  const absl::Span<const LineView> views = parsed.lines();
  ASSERT_EQ(views.size(), static_cast<size_t>(batch.lines_size()));
  for (int i = 0; i < batch.lines_size(); ++i) {
    const v1::LogLine& line = batch.lines(i);
    EXPECT_EQ(views[i].sequence, line.sequence());
    EXPECT_EQ(views[i].stream, line.stream());
    EXPECT_EQ(views[i].ending, line.ending());
    EXPECT_EQ(views[i].bytes, line.has_text() ? line.text() : line.raw());
    EXPECT_EQ(views[i].time(), line.time());
  }
}

TEST(LineView, OfAnEmptyBatchIsNothing) {
  LineViews views;
  EXPECT_TRUE(views.Parse({}));
  EXPECT_TRUE(views.Parse({""}));
  EXPECT_TRUE(views.lines().empty());
}

TEST(LineView, IsOnlyOfRecordsWithText) {
  v1::LogBatch batch;
  *batch.add_lines() = MakeLine(1, "text");
  batch.add_lines()->mutable_heartbeat()->set_last_sequence(1);
  EXPECT_FALSE(CanView(batch.SerializeAsString()));
  *batch.mutable_lines(1) = MakeLine(0, "no record");
  EXPECT_FALSE(CanView(batch.SerializeAsString()));
  *batch.mutable_lines(1) = MakeLine(-2, "no record");
  EXPECT_FALSE(CanView(batch.SerializeAsString()));
  batch.mutable_lines(1)->set_sequence(2);
  EXPECT_TRUE(CanView(batch.SerializeAsString()));
  batch.mutable_lines(1)->mutable_gap()->set_first(2);
  EXPECT_FALSE(CanView(batch.SerializeAsString()));
  batch.mutable_lines(1)->Clear();
  EXPECT_FALSE(CanView(batch.SerializeAsString()));
}

// What a later version of the protocol may add.
TEST(LineView, IsNotOfAMessageWithAnUnknownField) {
  const std::string line = MakeLine(1, "text").SerializeAsString();
  EXPECT_TRUE(CanView(Element(line)));
  EXPECT_FALSE(CanView(Element(line + "\x60\x01")));
  EXPECT_FALSE(CanView(Element(line + "\x82\x01\x01y")));
  EXPECT_FALSE(CanView("\x10\x01" + Element(line)));
}

// The protobuf library merges a message that comes twice, so that the time would be of both.
TEST(LineView, IsNotOfALineWithTwoTimes) {
  const std::string line = MakeLine(1, "text").SerializeAsString();
  EXPECT_FALSE(CanView(Element(line + "\x12\x02\x10\x01")));
}

// The views are all that is left of a batch, so that a line must not be cut short in silence.
TEST(LineView, IsNotOfABatchThatIsCutOff) {
  v1::LogBatch batch;
  *batch.add_lines() = MakeLine(1000, std::string(200, 'x'));
  const size_t whole = batch.ByteSizeLong();
  *batch.add_lines() = MakeLine(1001, "text");
  const std::string bytes = batch.SerializeAsString();
  for (size_t size = 1; size < bytes.size(); ++size) {
    // Not in the string: a read past the end is then past the allocation.
    const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    LineViews views;
    EXPECT_EQ(views.Parse({std::string_view(part.data(), part.size())}), size == whole) << size;
  }
}

// As gRPC receives them: cut wherever a frame ended.
TEST(LineView, IsTheSameHoweverTheBatchIsCut) {
  v1::LogBatch batch;
  for (const size_t size : {0, 1, 3, 200}) {
    *batch.add_lines() = MakeLine(1000 + static_cast<int64_t>(size), std::string(size, 'x'));
  }
  const std::string bytes = batch.SerializeAsString();
  LineViews views;
  for (size_t size = 1; size <= bytes.size(); ++size) {
    std::vector<std::vector<char>> owned;  // a read past the end is then past the allocation
    for (size_t at = 0; at < bytes.size(); at += size) {
      const std::string piece = bytes.substr(at, size);
      owned.emplace_back(piece.begin(), piece.end());
    }
    std::vector<std::string_view> pieces;
    for (const auto& piece : owned) pieces.emplace_back(piece.data(), piece.size());
    ASSERT_TRUE(views.Parse(pieces)) << size;
    ASSERT_EQ(views.lines().size(), static_cast<size_t>(batch.lines_size())) << size;
    for (int i = 0; i < batch.lines_size(); ++i) {
      EXPECT_EQ(views.lines()[i].sequence, batch.lines(i).sequence());
      EXPECT_EQ(views.lines()[i].bytes, batch.lines(i).text());
    }
    pieces.pop_back();
    EXPECT_EQ(views.Parse(pieces), pieces.empty()) << size;
  }
}

TEST(LineView, IsNotOfWhatIsNoMessage) {
  const std::string endless(11, '\xFF');
  EXPECT_FALSE(CanView("\x0A"));
  EXPECT_FALSE(CanView("\x0A" + endless));
  EXPECT_FALSE(CanView("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01x")) << "longer than there is";
  EXPECT_FALSE(CanView(Element("\x08" + endless)));
  EXPECT_FALSE(CanView(Element("\x08\x01\x2A\x05text"))) << "beyond its line";
  EXPECT_TRUE(CanView(Element("\x08\x01\x2A\x04text")));
}

}  // namespace
}  // namespace jobtail::client
