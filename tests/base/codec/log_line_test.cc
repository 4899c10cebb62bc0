// Tests that the hand-written codec agrees with the protobuf library, also about bad bytes.

#include "base/codec/log_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/codec/proto_time.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using testing::Out;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// What the protobuf library makes of the same line. `valid`: whether the text is UTF-8.
std::string ByProtobuf(int64_t sequence, const TextLine& line, bool valid) {
  v1::LogBatch batch;
  v1::LogLine& element = *batch.add_lines();
  element.set_sequence(sequence);
  *element.mutable_time() = FromUnixNanos(line.time_unix_nanos);
  element.set_stream(line.stream);
  element.set_ending(line.ending);
  if (valid) {
    element.set_text(std::string(line.text));
  } else {
    element.set_raw(std::string(line.text));
  }
  return batch.SerializeAsString();
}

std::string ByHand(int64_t sequence, const TextLine& line) {
  std::string batch;
  EncodeLine(sequence, line.time_unix_nanos, line, &batch);
  return batch;
}

TEST(Record, ALineIsEncodedAsProtobufDoesWhateverItsNumber) {
  for (const int64_t sequence :
       {int64_t{1}, int64_t{127}, int64_t{128}, int64_t{16'383}, int64_t{16'384}, int64_t{1} << 31,
        int64_t{1} << 32, int64_t{1} << 56, kMax}) {
    const TextLine line = Out("text", 1'700'000'000 * kSecond + 5);
    EXPECT_EQ(ByHand(sequence, line), ByProtobuf(sequence, line, true)) << sequence;
  }
}

TEST(Record, ALineIsEncodedAsProtobufDoesWhateverItsTime) {
  for (const int64_t time :
       {int64_t{0}, int64_t{1}, kSecond - 1, kSecond, kSecond + 1, 1'700'000'000 * kSecond,
        1'700'000'000 * kSecond + 999'999'999, int64_t{-1}, -kSecond, -kSecond - 1, -kSecond + 1,
        kMax, kMin + kSecond}) {
    EXPECT_EQ(ByHand(1, Out("text", time)), ByProtobuf(1, Out("text", time), true)) << time;
  }
}

TEST(Record, ALineIsEncodedAsProtobufDoesWhateverItsStreamAndEnding) {
  for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
    for (const v1::Ending ending :
         {v1::ENDING_LF, v1::ENDING_CRLF, v1::ENDING_CR, v1::ENDING_NONE, v1::ENDING_SPLIT}) {
      const TextLine line{stream, ending, kSecond, "text"};
      EXPECT_EQ(ByHand(1, line), ByProtobuf(1, line, true)) << stream << " " << ending;
    }
  }
}

TEST(Record, ALineIsEncodedAsProtobufDoesWhateverItsLength) {
  for (const size_t size : {0, 1, 99, 100, 127, 128, 16'250, 16'383, 16'384, 65'535, 65'536}) {
    const std::string text(size, 'x');
    EXPECT_EQ(ByHand(7, Out(text, 1)), ByProtobuf(7, Out(text, 1), true)) << size;
    const std::string bad(size, '\xFF');
    EXPECT_EQ(ByHand(7, Out(bad, 1)), ByProtobuf(7, Out(bad, 1), size == 0)) << size;
  }
}

std::string ByEncoder(LineEncoder* encoder, int64_t sequence, const TextLine& line) {
  std::string bytes(MostEncodedBytes(line), '\0');
  const char* const end = encoder->Encode(sequence, line.time_unix_nanos, line, bytes.data());
  bytes.resize(static_cast<size_t>(end - bytes.data()));
  return bytes;
}

// One encoder for all: what it has kept of a line must not get into the next.
TEST(LineEncoder, EncodesAsProtobufDoesWhateverComesAfterWhatever) {
  LineEncoder encoder;
  std::vector<int64_t> sequences = {-1, 1, 2, 126, 127, 128, kMaxSequence, kMax};
  for (int bits = 7; bits <= 56; bits += 7) {
    const int64_t more = int64_t{1} << bits;
    sequences.insert(sequences.end(), {more - 2, more - 1, more, more + 1});
  }
  sequences.insert(sequences.end(), {(int64_t{1} << 55) - 1, int64_t{1} << 55});
  const int64_t second = 1'700'000'000 * kSecond;
  const int64_t times[] = {second + (1 << 21) - 1,
                           second + (1 << 21),
                           second + (1 << 28) - 1,
                           second + (1 << 28),
                           second + 999'999'999,
                           second + kSecond,
                           second - 1,
                           5,
                           -5,
                           kSecond + (1 << 21),
                           kMax,
                           kMin + kSecond};
  const size_t sizes[] = {0, 1, 80, 94, 95, 96, 97, 98, 99, 100, 101, 127, 128, 16'350, 16'384};
  for (const int64_t sequence : sequences) {
    for (const int64_t time : times) {
      for (const size_t size : sizes) {
        for (const char byte : {'x', '\xFF'}) {
          const std::string text(size, byte);
          const TextLine line{size % 2 == 0 ? v1::STREAM_STDERR : v1::STREAM_STDOUT,
                              static_cast<v1::Ending>(1 + size % 4), time, text};
          EXPECT_EQ(ByEncoder(&encoder, sequence, line),
                    ByProtobuf(sequence, line, size == 0 || byte == 'x'))
              << sequence << " " << time << " " << size;
        }
      }
    }
  }
}

TEST(LineEncoder, EncodesALogAsProtobufDoes) {
  LineEncoder encoder;
  int64_t time = 1'699'999'999 * kSecond;
  for (int64_t sequence = 1; sequence < 40'000; ++sequence) {
    time += sequence % 7 == 0 ? 1'000'000 : 300;
    const TextLine line = Out(sequence % 5 == 0 ? "caf\xC3\xA9" : "eighty bytes, or so", time);
    ASSERT_EQ(ByEncoder(&encoder, sequence, line), ByProtobuf(sequence, line, true)) << sequence;
  }
}

TEST(Record, AnEmptyLineIsTextAllTheSame) {
  const std::vector<v1::LogLine> lines = testing::Decode(ByHand(1, Out("")));
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].content_case(), v1::LogLine::kText);
}

struct Bytes {
  const char* name;
  std::string text;
};

class ValidUtf8 : public ::testing::TestWithParam<Bytes> {};
class InvalidUtf8 : public ::testing::TestWithParam<Bytes> {};

std::string NameOf(const ::testing::TestParamInfo<Bytes>& info) { return info.param.name; }

TEST_P(ValidUtf8, BecomesText) {
  const TextLine line = Out(GetParam().text, 1);
  EXPECT_EQ(ByHand(1, line), ByProtobuf(1, line, true));
}

TEST_P(InvalidUtf8, BecomesRawByteForByte) {
  const TextLine line = Out(GetParam().text, 1);
  EXPECT_EQ(ByHand(1, line), ByProtobuf(1, line, false));
}

INSTANTIATE_TEST_SUITE_P(
    Record, ValidUtf8,
    ::testing::Values(Bytes{"Nul", std::string("a\0b", 3)}, Bytes{"Controls", "\x01\x1B[31m\x7F"},
                      Bytes{"TwoBytes", "caf\xC3\xA9"}, Bytes{"ThreeBytes", "\xE2\x9C\x93"},
                      Bytes{"FourBytes", "\xF0\x9F\x98\x80"},
                      Bytes{"Smallest", "\xC2\x80\xE0\xA0\x80\xF0\x90\x80\x80"},
                      Bytes{"Largest", "\xDF\xBF\xEF\xBF\xBF\xF4\x8F\xBF\xBF"},
                      Bytes{"AroundSurrogates", "\xED\x9F\xBF\xEE\x80\x80"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Record, InvalidUtf8,
    ::testing::Values(Bytes{"Latin1", "caf\xE9"}, Bytes{"LoneContinuation", "a\x80z"},
                      Bytes{"NeverUsed", "\xC0\xFE\xFF"}, Bytes{"Overlong", "\xC1\xBF"},
                      Bytes{"OverlongThree", "\xE0\x9F\xBF"}, Bytes{"OverlongNul", "\xC0\x80"},
                      Bytes{"Surrogate", "\xED\xA0\x80"},
                      Bytes{"BeyondUnicode", "\xF4\x90\x80\x80"},
                      Bytes{"FiveBytes", "\xF8\x88\x80\x80\x80"},
                      Bytes{"CutAtTheEnd", "ok \xE2\x9C"}, Bytes{"CutInTheMiddle", "\xE2\x9C z"},
                      Bytes{"AfterMuchText", std::string(1000, 'x') + "\xFF"}),
    NameOf);

TEST(Record, MessagesAreEncodedAsProtobufDoes) {
  v1::LogBatch batch;
  batch.add_lines()->mutable_run()->set_id("id");
  batch.add_lines()->mutable_progress()->set_fraction(0.5);
  batch.add_lines()->mutable_heartbeat()->set_last_sequence(7);
  batch.add_lines()->mutable_gap()->set_last(70'000);
  v1::LogLine& result = *batch.add_lines();
  result.set_sequence(kMax);
  result.mutable_result()->set_error(std::string(20'000, 'e'));
  batch.add_lines();  // one without anything
  std::string by_hand;
  for (const v1::LogLine& line : batch.lines()) EncodeLine(line, &by_hand);
  EXPECT_EQ(by_hand, batch.SerializeAsString());
}

TEST(Record, EncodingAppends) {
  std::string batch = ByHand(1, Out("one"));
  EncodeLine(2, 0, Out("two"), &batch);
  EXPECT_EQ(batch, ByHand(1, Out("one")) + ByHand(2, Out("two")));
}

TEST(Record, PrintedBytesCountTheTerminator) {
  EXPECT_EQ(PrintedBytes({v1::STREAM_STDOUT, v1::ENDING_LF, 0, "four"}), 5);
  EXPECT_EQ(PrintedBytes({v1::STREAM_STDOUT, v1::ENDING_CR, 0, "four"}), 5);
  EXPECT_EQ(PrintedBytes({v1::STREAM_STDOUT, v1::ENDING_CRLF, 0, "four"}), 6);
  EXPECT_EQ(PrintedBytes({v1::STREAM_STDOUT, v1::ENDING_NONE, 0, "four"}), 4);
  EXPECT_EQ(PrintedBytes({v1::STREAM_STDOUT, v1::ENDING_SPLIT, 0, "four"}), 4);
  EXPECT_EQ(PrintedBytes({v1::STREAM_STDOUT, v1::ENDING_LF, 0, ""}), 1);
}

TEST(Ending, IsWhatWasPrinted) {
  EXPECT_EQ(EndingBytes(v1::ENDING_LF), "\n");
  EXPECT_EQ(EndingBytes(v1::ENDING_CR), "\r");
  EXPECT_EQ(EndingBytes(v1::ENDING_CRLF), "\r\n");
  EXPECT_EQ(EndingBytes(v1::ENDING_NONE), "");
  EXPECT_EQ(EndingBytes(v1::ENDING_SPLIT), "");
  EXPECT_TRUE(EndsLine(v1::ENDING_LF));
  EXPECT_TRUE(EndsLine(v1::ENDING_CR));
  EXPECT_TRUE(EndsLine(v1::ENDING_CRLF));
  EXPECT_FALSE(EndsLine(v1::ENDING_NONE));
  EXPECT_FALSE(EndsLine(v1::ENDING_SPLIT));
}

TEST(EndsLineOf, IsTheSameOfAMessageAndOfAView) {
  v1::LogLine record;
  record.set_sequence(7);
  const auto ends = [&record] {
    std::string ended;
    LineView view;
    const std::string bytes = record.SerializeAsString();
    EXPECT_TRUE(DecodeLine(bytes, &view));
    for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
      EXPECT_EQ(EndsLineOf(stream, record), EndsLineOf(stream, view)) << bytes;
      if (EndsLineOf(stream, record)) ended += stream == v1::STREAM_STDERR ? "err " : "out ";
    }
    return ended;
  };
  for (const v1::Ending ending : {v1::ENDING_LF, v1::ENDING_CR, v1::ENDING_CRLF}) {
    record.set_ending(ending);
    record.set_text("text");
    record.set_stream(v1::STREAM_STDOUT);
    EXPECT_EQ(ends(), "out ");
    record.set_raw("raw");
    record.set_stream(v1::STREAM_STDERR);
    EXPECT_EQ(ends(), "err ");
  }
  for (const v1::Ending ending : {v1::ENDING_NONE, v1::ENDING_SPLIT}) {
    record.set_ending(ending);
    EXPECT_EQ(ends(), "");
  }
  record = {};
  record.set_sequence(9);
  for (int reason = v1::GapReason_MIN; reason <= v1::GapReason_MAX; ++reason) {
    record.mutable_gap()->set_reason(static_cast<v1::GapReason>(reason));
    EXPECT_EQ(ends(), reason == v1::GAP_REASON_OVERWRITTEN ? "" : "out err ") << reason;
  }
  record.mutable_result();
  EXPECT_EQ(ends(), "out err ");
  record.set_sequence(0);
  record.mutable_heartbeat();
  EXPECT_EQ(ends(), "") << "not a record";
}

bool CanDecode(std::string_view bytes) {
  LineView line;
  return DecodeLine(bytes, &line);
}

TEST(DecodeLine, HasWhatTheMessageHas) {
  v1::LogLine text;
  text.set_sequence(kMaxSequence);
  *text.mutable_time() = FromUnixNanos(-1);
  text.set_stream(v1::STREAM_STDERR);
  text.set_ending(v1::ENDING_SPLIT);
  text.set_text("text");
  v1::LogLine raw = text;
  raw.set_raw("\xff");
  v1::LogLine gap;
  gap.set_sequence(7);
  gap.mutable_gap()->set_first(3);
  v1::LogLine heartbeat;
  heartbeat.mutable_heartbeat();
  for (const v1::LogLine& line : {text, raw, gap, heartbeat, v1::LogLine()}) {
    const std::string bytes = line.SerializeAsString();
    LineView view;
    ASSERT_TRUE(DecodeLine(bytes, &view));
    EXPECT_EQ(view.sequence, line.sequence());
    EXPECT_EQ(view.stream, line.stream());
    EXPECT_EQ(view.ending, line.ending());
    EXPECT_EQ(view.content, line.content_case());
    EXPECT_EQ(view.encoded_time.data() != nullptr, line.has_time());
    EXPECT_EQ(view.time().SerializeAsString(), line.time().SerializeAsString());
    EXPECT_EQ(view.encoded, bytes);
    EXPECT_FALSE(view.has_unknown_fields);
    EXPECT_EQ(view.is_text(), line.has_text() || line.has_raw());
  }
  LineView view;
  const std::string bytes = gap.SerializeAsString();
  ASSERT_TRUE(DecodeLine(bytes, &view));
  EXPECT_EQ(view.bytes, gap.gap().SerializeAsString());
}

TEST(DecodeLine, RefusesNumbersInMoreBytesThanTheyTake) {
  EXPECT_TRUE(CanDecode(std::string_view("\x08\x01", 2)));
  EXPECT_FALSE(CanDecode(std::string_view("\x08\x81\x00", 3)));
  EXPECT_FALSE(CanDecode(std::string_view("\x88\x00\x01", 3))) << "a tag";
  EXPECT_FALSE(CanDecode(std::string_view("\x2a\x81\x00x", 4))) << "a length";
  EXPECT_TRUE(CanDecode(std::string_view("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)));
  EXPECT_FALSE(CanDecode(std::string_view("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11)));
  EXPECT_FALSE(CanDecode(std::string_view("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 12)));
}

TEST(DecodeLine, RefusesSequenceNumbersThatNoRecordHas) {
  for (const int64_t sequence : {kMax, int64_t{-1}, kMin}) {
    v1::LogLine line;
    line.set_sequence(sequence);
    line.set_text("x");
    EXPECT_FALSE(CanDecode(line.SerializeAsString())) << sequence;
    EXPECT_EQ(SequenceOf(line.SerializeAsString()), 0) << sequence;
  }
}

TEST(DecodeLine, LeavesToTheLibraryWhatItWouldMerge) {
  v1::LogLine line;
  line.mutable_time()->set_seconds(1);
  const std::string time = line.SerializeAsString();
  EXPECT_FALSE(CanDecode(time + time));
  line.Clear();
  line.mutable_gap()->set_first(1);
  const std::string gap = line.SerializeAsString();
  EXPECT_FALSE(CanDecode(gap + gap));
  line.set_text("x");
  const std::string text = line.SerializeAsString();
  EXPECT_TRUE(CanDecode(text + text)) << "the last counts";
}

TEST(DecodeLine, SkipsAndTellsOfFieldsThatItDoesNotKnow) {
  const std::string text("\x2a\x01x", 3);
  for (const std::string& unknown : {std::string("\x60\x01"), std::string("\x82\x01\x01y"),
                                     std::string("\x65"
                                                 "1234"),
                                     std::string("\x61"
                                                 "12345678")}) {
    const std::string bytes = unknown + text;  // which the view refers to
    LineView view;
    ASSERT_TRUE(DecodeLine(bytes, &view));
    EXPECT_TRUE(view.has_unknown_fields);
    EXPECT_EQ(view.bytes, "x");
  }
  EXPECT_FALSE(CanDecode(text + "\x65"
                                "123"))
      << "cut off";
  EXPECT_FALSE(CanDecode(text + "\x63\x64")) << "a group";
}

TEST(DecodeLine, RefusesWhatIsNoLine) {
  EXPECT_FALSE(CanDecode("\x2a\x7f")) << "a text longer than the bytes";
  EXPECT_FALSE(CanDecode("\xff\xff\xff"));
}

TEST(LineViewTime, IsThatOfTheLibraryOr1970) {
  LineView view;
  EXPECT_EQ(ToUnixNanos(view.time()), 0);
  for (const int64_t time : {int64_t{0}, int64_t{5}, -kSecond - 1, kMax, kMin}) {
    const std::string encoded = FromUnixNanos(time).SerializeAsString();
    view.encoded_time = encoded;
    EXPECT_EQ(ToUnixNanos(view.time()), time);
  }
  view.encoded_time = "\x08";
  EXPECT_EQ(ToUnixNanos(view.time()), 0);
}

}  // namespace
}  // namespace jobtail
