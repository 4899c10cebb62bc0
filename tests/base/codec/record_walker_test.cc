// Tests of the walk over the elements of an encoded batch.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/log/record.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Out;

// Elements of different lengths, also with lengths of one, two and three bytes.
std::vector<std::string> Elements() {
  std::vector<std::string> elements;
  for (const size_t size : {0, 5, 100, 200, 20'000, 3}) {
    std::string& element = elements.emplace_back();
    EncodeLine(static_cast<int64_t>(elements.size()), 1, Out(std::string(size, 'x')), &element);
  }
  return elements;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

TEST(RecordWalker, VisitsEachElementWithItsPayload) {
  const std::vector<std::string> elements = Elements();
  const std::string batch = Join(elements);
  RecordWalker walker(batch);
  size_t visited = 0;
  size_t bytes = 0;
  while (walker.Next()) {
    ASSERT_LT(visited, elements.size());
    EXPECT_EQ(walker.element(), elements[visited]);
    bytes += walker.element().size();
    EXPECT_EQ(walker.rest(), std::string_view(batch).substr(bytes));
    v1::LogLine line;
    ASSERT_TRUE(line.ParseFromString(std::string(walker.payload())));
    EXPECT_EQ(line.sequence(), static_cast<int64_t>(++visited));
  }
  EXPECT_EQ(visited, elements.size());
  EXPECT_FALSE(walker.Next());
}

TEST(RecordWalker, VisitsNothingWhereThereIsNothing) {
  RecordWalker walker("");
  EXPECT_FALSE(walker.Next());
}

TEST(RecordWalker, StopsAtAnElementThatIsCutOff) {
  const std::string whole = Elements()[1];
  const std::string next = Elements()[3];  // its length takes two bytes
  for (size_t size = 0; size < next.size(); ++size) {
    const std::string batch = whole + next.substr(0, size);
    RecordWalker walker(batch);
    EXPECT_TRUE(walker.Next());
    EXPECT_EQ(walker.element(), whole);
    EXPECT_FALSE(walker.Next()) << size << " bytes of the second element";
    EXPECT_EQ(walker.element(), whole) << "stays where it was";
  }
}

TEST(RecordWalker, StopsAtBytesThatAreNoElement) {
  for (const char* bytes : {"\x12\x01x", "\x08\x01", "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                            "\x0A\xFF\xFF\xFF\xFF\x0F", "\x0A\x80", "text"}) {
    RecordWalker walker(bytes);
    EXPECT_FALSE(walker.Next()) << bytes;
  }
}

std::string PayloadOf(const v1::LogLine& line) { return line.SerializeAsString(); }

TEST(SequenceOf, IsTheNumberOfARecord) {
  for (const int64_t sequence : {int64_t{1}, int64_t{128}, int64_t{1} << 40}) {
    v1::LogLine line;
    line.set_sequence(sequence);
    line.set_text("text");
    EXPECT_EQ(SequenceOf(PayloadOf(line)), sequence);
  }
}

TEST(SequenceOf, IsZeroForWhatIsNoRecord) {
  v1::LogLine line;
  EXPECT_EQ(SequenceOf(PayloadOf(line)), 0);
  line.mutable_run()->set_id("id");
  EXPECT_EQ(SequenceOf(PayloadOf(line)), 0);
  line.mutable_time()->set_seconds(1);
  EXPECT_EQ(SequenceOf(PayloadOf(line)), 0);
}

TEST(SequenceOf, IsZeroForANumberThatIsCutOff) {
  EXPECT_EQ(SequenceOf("\x08"), 0);
  EXPECT_EQ(SequenceOf("\x08\xFF"), 0);
}

TEST(Records, OfATestBatchAreThoseThatAreNumbered) {
  v1::LogLine run;
  run.mutable_run()->set_id("id");
  std::string batch;
  EncodeLine(run, &batch);
  EXPECT_THAT(testing::RecordsOf(testing::Decode(batch)), IsEmpty());
  EncodeLine(4, 0, Out("four"), &batch);
  EncodeLine(5, 0, Out("\xFF"), &batch);
  EXPECT_THAT(testing::Sequences(testing::RecordsOf(testing::Decode(batch))), ElementsAre(4, 5));
  EXPECT_THAT(testing::Texts(testing::RecordsOf(testing::Decode(batch))),
              ElementsAre("four", "\xFF"));
}

}  // namespace
}  // namespace jobtail
