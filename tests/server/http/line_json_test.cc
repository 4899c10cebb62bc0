#include "server/http/line_json.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

#include <string>

#include "server/http/json_text.h"
#include "server/log/record.h"

namespace jobtail::http {
namespace {

std::string ByLibrary(const google::protobuf::Message& message) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &json).ok());
  return json;
}

std::string ByHand(const v1::LogLine& line) {
  const std::string bytes = line.SerializeAsString();
  LineView view;
  EXPECT_TRUE(ParseLine(bytes, &view));
  std::string json;
  AppendJson(view, &json);
  return json;
}

v1::LogLine Line(int64_t sequence, int64_t unix_nanos, const std::string& text) {
  v1::LogLine line;
  line.set_sequence(sequence);
  *line.mutable_time() = FromUnixNanos(unix_nanos);
  line.set_stream(v1::STREAM_STDOUT);
  line.set_ending(v1::ENDING_LF);
  line.set_text(text);
  return line;
}

void AppendUtf8(uint32_t code, std::string* text) {
  const auto add = [text](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xe0 | code >> 12);
    } else {
      add(0xf0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3f));
    }
    add(0x80 | (code >> 6 & 0x3f));
  }
  add(0x80 | (code & 0x3f));
}

TEST(LineJson, IsTheLibrarysForEveryCharacter) {
  constexpr uint32_t kAtOnce = 64;
  for (uint32_t first = 0; first <= 0x10ffff; first += kAtOnce) {
    if (first >= 0xd800 && first < 0xe000) continue;  // no characters
    std::string text;
    for (uint32_t code = first; code < first + kAtOnce; ++code) AppendUtf8(code, &text);
    const v1::LogLine line = Line(1, 1, text);
    ASSERT_EQ(ByHand(line), ByLibrary(line)) << std::hex << first;
  }
}

TEST(LineJson, IsTheLibrarysForEveryKindOfTime) {
  constexpr int64_t kSecond = 1'000'000'000;
  for (const int64_t time : {int64_t{0}, int64_t{1}, int64_t{1000}, int64_t{1'000'000}, kSecond,
                             1'700'000'000 * kSecond + 120'000'000, 1'700'000'000 * kSecond + 999,
                             951'782'400 * kSecond, -kSecond / 2, 4'102'444'800 * kSecond}) {
    const v1::LogLine line = Line(1, time, "x");
    EXPECT_EQ(ByHand(line), ByLibrary(line)) << time;
  }
}

TEST(LineJson, IsTheLibrarysForEveryStreamEndingAndNumber) {
  for (const int64_t sequence : {int64_t{1}, int64_t{4711}, std::numeric_limits<int64_t>::max()}) {
    for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
      for (const v1::Ending ending :
           {v1::ENDING_LF, v1::ENDING_CR, v1::ENDING_NONE, v1::ENDING_SPLIT}) {
        v1::LogLine line = Line(sequence, 1, "");
        line.set_stream(stream);
        line.set_ending(ending);
        EXPECT_EQ(ByHand(line), ByLibrary(line));
      }
    }
  }
}

TEST(LineJson, IsTheLibrarysForBytes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
    v1::LogLine line = Line(1, 1, "");
    line.set_raw(all);
    EXPECT_EQ(ByHand(line), ByLibrary(line));
  }
}

TEST(LineJson, IsTheLibrarysForWhatIsNoText) {
  v1::LogLine run;
  *run.mutable_time() = FromUnixNanos(5);
  run.mutable_run()->set_id("id");
  v1::LogLine progress;
  progress.mutable_progress()->set_fraction(0.5);
  v1::LogLine heartbeat;
  heartbeat.mutable_heartbeat()->set_last_sequence(7);
  v1::RunResult outcome;
  outcome.set_state(v1::RUN_STATE_FAILED);
  outcome.set_error("</script>");
  for (const v1::LogLine& line :
       {run, progress, heartbeat, GapRecord(3, 9, v1::GAP_REASON_DROPPED, 1),
        ResultRecord(10, outcome, 2)}) {
    EXPECT_EQ(ByHand(line), ByLibrary(line));
  }
}

TEST(ParseLine, RefusesWhatIsNoLine) {
  LineView line;
  EXPECT_FALSE(ParseLine("\x2a\x7f", &line)) << "a text longer than the bytes";
  EXPECT_FALSE(ParseLine("\xff\xff\xff", &line));
}

}  // namespace
}  // namespace jobtail::http
