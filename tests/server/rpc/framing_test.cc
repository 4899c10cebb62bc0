// Messages cut out of what was read.

#include "server/rpc/framing.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "jobtail/v1/log.pb.h"
#include "jobtail/v1/run.pb.h"
#include "server/rpc/byte_buffer.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using testing::Sequences;

v1::LogLine Line(int64_t sequence, const std::string& text = "x") {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.set_text(text);
  return line;
}

// A slice of a larger buffer, as those of a log are.
Slice BatchOf(const std::vector<v1::LogLine>& lines) {
  v1::LogBatch batch;
  for (const v1::LogLine& line : lines) *batch.add_lines() = line;
  const std::string bytes = batch.SerializeAsString();
  return {Share("before" + bytes + "after"), 6, bytes.size()};
}

template <typename T>
T Parse(const grpc::ByteBuffer& bytes) {
  T message;
  EXPECT_TRUE(FromByteBuffer(bytes, &message).ok());
  return message;
}

// All that is left, and which of it may wait for what follows.
template <typename T>
std::vector<T> All(Framing& framing, std::vector<bool>* hinted = nullptr) {
  std::vector<T> messages;
  while (true) {
    grpc::ByteBuffer bytes;
    grpc::WriteOptions options;
    if (!framing.Next(&bytes, &options)) return messages;
    messages.push_back(Parse<T>(bytes));
    if (hinted) hinted->push_back(options.get_buffer_hint());
  }
}

// What a block of LZ4 is to a reader is of no interest here.
Slice BlockOf(const std::string& block, size_t size) {
  return {Share("before" + block + "after"), 6, block.size(), size};
}

TEST(BatchFraming, PutsCompressedLinesBehindTheOthers) {
  BatchFraming framing;
  const std::string large(40'000, 'b');
  std::vector<Slice> slices = {BatchOf({Line(1)}), BlockOf("block", 1000), BlockOf(large, 300'000)};
  ASSERT_TRUE(framing.Take(&slices).ok());
  const auto messages = All<v1::LogBatch>(framing);
  ASSERT_EQ(messages.size(), 1);
  ASSERT_EQ(messages[0].lines_size(), 1);
  EXPECT_EQ(messages[0].lines(0).sequence(), 1);
  ASSERT_EQ(messages[0].compressed_size(), 2);
  EXPECT_EQ(messages[0].compressed(0).compression(), v1::COMPRESSION_LZ4_BLOCK);
  EXPECT_EQ(messages[0].compressed(0).size(), 1000);
  EXPECT_EQ(messages[0].compressed(0).data(), "block");
  EXPECT_EQ(messages[0].compressed(1).size(), 300'000);
  EXPECT_EQ(messages[0].compressed(1).data(), large);
}

TEST(BatchFraming, MakesOneMessageOfWhatWasReadTogether) {
  BatchFraming framing;
  EXPECT_TRUE(All<v1::LogBatch>(framing).empty());
  std::vector<Slice> slices = {BatchOf({Line(1), Line(2)}), BatchOf({Line(3)})};
  ASSERT_TRUE(framing.Take(&slices).ok());
  const auto messages = All<v1::LogBatch>(framing);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_THAT(Sequences({messages[0].lines().begin(), messages[0].lines().end()}),
              ElementsAre(1, 2, 3));
  EXPECT_EQ(framing.ResumePointWithin(), std::nullopt);
}

TEST(LineFraming, MakesAMessageOfEachLine) {
  LineFraming framing;
  std::vector<Slice> slices = {BatchOf({Line(1), Line(2)}), BatchOf({Line(3, "three")})};
  ASSERT_TRUE(framing.Take(&slices).ok());
  std::vector<bool> hinted;
  const auto lines = All<v1::LogLine>(framing, &hinted);
  EXPECT_THAT(Sequences(lines), ElementsAre(1, 2, 3));
  EXPECT_EQ(lines[2].text(), "three");
  EXPECT_THAT(hinted, ElementsAre(true, true, false)) << "nothing would push out the last";
}

TEST(LineFraming, SendsOneOfManyLinesAtOnce) {
  LineFraming framing;
  std::vector<v1::LogLine> lines;
  for (int i = 1; i <= 600; ++i) lines.push_back(Line(i));
  std::vector<Slice> slices = {BatchOf(lines)};
  ASSERT_TRUE(framing.Take(&slices).ok());
  std::vector<bool> hinted;
  All<v1::LogLine>(framing, &hinted);
  ASSERT_EQ(hinted.size(), 600u);
  EXPECT_EQ(std::count(hinted.begin(), hinted.end(), false), 3) << "each 256th, and the last";
  EXPECT_FALSE(hinted[255]);
}

TEST(LineFraming, KnowsWhereAClientWouldGoOnWithinABatch) {
  LineFraming framing;
  std::vector<Slice> slices = {BatchOf({Line(7), Line(8), Line(9)})};
  ASSERT_TRUE(framing.Take(&slices).ok());
  EXPECT_EQ(framing.ResumePointWithin(), 1) << "nothing was sent yet";
  grpc::ByteBuffer bytes;
  grpc::WriteOptions options;
  framing.Next(&bytes, &options);
  EXPECT_EQ(framing.ResumePointWithin(), 8);
  All<v1::LogLine>(framing);
  EXPECT_EQ(framing.ResumePointWithin(), std::nullopt) << "the feed knows";
}

TEST(LineFraming, ABatchWithoutLinesIsDamaged) {
  LineFraming framing;
  std::vector<Slice> slices = {{Share(std::string("\xff\xff\xff")), 0, 3}};
  EXPECT_EQ(framing.Take(&slices).code(), absl::StatusCode::kDataLoss);
}

TEST(Framing, HeartbeatsLookLikeTheOtherMessages) {
  v1::LogLine line;
  line.mutable_heartbeat()->set_searched_through(5);
  const Slice heartbeat = BatchOf({line});
  EXPECT_EQ(Parse<v1::LogBatch>(*BatchFraming().Heartbeat(heartbeat))
                .lines(0)
                .heartbeat()
                .searched_through(),
            5);
  EXPECT_EQ(Parse<v1::LogLine>(*LineFraming().Heartbeat(heartbeat)).heartbeat().searched_through(),
            5);
  EXPECT_FALSE(RunFraming().Heartbeat({}).has_value()) << "runs have none";
}

TEST(RunFraming, MakesAMessageOfEachRun) {
  RunFraming framing;
  std::vector<Slice> slices;
  for (const char* id : {"a", "b"}) {
    v1::Run run;
    run.set_id(id);
    const std::string bytes = run.SerializeAsString();
    slices.push_back({Share(bytes), 0, bytes.size()});
  }
  ASSERT_TRUE(framing.Take(&slices).ok());
  const auto runs = All<v1::Run>(framing);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].id(), "b");
}

TEST(FromByteBuffer, RefusesWhatIsNotSuchAMessage) {
  const grpc::Slice bad("\xff\xff\xff");
  v1::Run run;
  const absl::Status status = FromByteBuffer(grpc::ByteBuffer(&bad, 1), &run);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the request's bytes are not a jobtail.v1.Run");
}

}  // namespace
}  // namespace jobtail
