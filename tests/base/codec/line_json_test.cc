// Tests that a line's JSON is the protobuf library's, byte for byte.

#include "base/codec/line_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/codec/proto_time.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

constexpr JsonFields kBoth[] = {JsonFields::kSet, JsonFields::kAll};

std::string ByLibrary(const v1::LogLine& line, JsonFields fields) {
  std::string json;
  AppendJson(line, fields, &json);
  return json;
}

std::string OfView(const v1::LogLine& line, JsonFields fields) {
  const std::string bytes = line.SerializeAsString();
  LineView view;
  EXPECT_TRUE(DecodeLine(bytes, &view));
  std::string json;
  LineJsonWriter(fields).Append(view, &json);
  return json;
}

std::string OfMessage(const v1::LogLine& line, JsonFields fields) {
  std::string json;
  LineJsonWriter(fields).Append(line, &json);
  return json;
}

void ExpectTheLibrarys(const v1::LogLine& line) {
  for (const JsonFields fields : kBoth) {
    const std::string expected = ByLibrary(line, fields);
    ASSERT_EQ(OfView(line, fields), expected);
    ASSERT_EQ(OfMessage(line, fields), expected);
  }
}

v1::LogLine Line(int64_t sequence, int64_t unix_nanos, const std::string& text) {
  v1::LogLine line;
  line.set_sequence(sequence);
  *line.mutable_time() = FromUnixNanos(unix_nanos);
  line.set_stream(v1::STREAM_STDERR);
  line.set_ending(v1::ENDING_CR);
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

TEST(LineJson, LooksLikeThis) {
  const v1::LogLine line = Line(4711, 1'700'000'000'120'000'000, "hello");
  EXPECT_EQ(OfView(line, JsonFields::kSet),
            R"({"sequence":"4711","time":"2023-11-14T22:13:20.120Z",)"
            R"("stream":"STREAM_STDERR","ending":"ENDING_CR","text":"hello"})");
  EXPECT_EQ(OfView(line, JsonFields::kAll),
            R"({"sequence":"4711","stream":"STREAM_STDERR","ending":"ENDING_CR",)"
            R"("time":"2023-11-14T22:13:20.120Z","text":"hello"})");
}

TEST(LineJson, IsTheLibrarysForEveryCharacter) {
  constexpr uint32_t kAtOnce = 64;
  for (uint32_t first = 0; first <= 0x10ffff; first += kAtOnce) {
    if (first >= 0xd800 && first < 0xe000) continue;  // no characters
    std::string text;
    for (uint32_t code = first; code < first + kAtOnce; ++code) AppendUtf8(code, &text);
    const v1::LogLine line = Line(1, 1, text);
    ASSERT_EQ(OfView(line, JsonFields::kSet), ByLibrary(line, JsonFields::kSet))
        << std::hex << first;
  }
  ExpectTheLibrarys(Line(1, 1, "Grüße 世界 🚀 \u2028\u00ad\ufeff <a href=\"x\">\\\t\x01\x7f"));
}

TEST(LineJson, IsTheLibrarysForEveryKindOfTime) {
  constexpr int64_t kSecond = 1'000'000'000;
  for (const int64_t time : {int64_t{0}, int64_t{1}, int64_t{1000}, int64_t{1'000'000}, kSecond,
                             1'700'000'000 * kSecond + 120'000'000, 1'700'000'000 * kSecond + 999,
                             951'782'400 * kSecond, -kSecond / 2, 4'102'444'800 * kSecond}) {
    ExpectTheLibrarys(Line(1, time, "x"));
  }
  v1::LogLine line = Line(1, 1, "x");
  line.mutable_time()->set_seconds(kMaxTimestampSeconds);
  ExpectTheLibrarys(line);
  line.mutable_time()->set_seconds(kMaxTimestampSeconds + 1);
  ExpectTheLibrarys(line);
  line.clear_time();
  ExpectTheLibrarys(line);
}

TEST(LineJson, IsTheLibrarysForEveryStreamEndingAndNumber) {
  for (const int64_t sequence : {int64_t{0}, int64_t{1}, int64_t{4711}, kMaxSequence}) {
    for (int stream = 0; stream < 4; ++stream) {
      for (const int ending : {0, 1, 2, 3, 4, 77}) {
        v1::LogLine line = Line(sequence, 1, "");
        line.set_stream(static_cast<v1::Stream>(stream));
        line.set_ending(static_cast<v1::Ending>(ending));
        ExpectTheLibrarys(line);
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
    ExpectTheLibrarys(line);
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
  v1::RunResult result;
  result.set_state(v1::RUN_STATE_FAILED);
  result.set_error("</script>");
  for (const v1::LogLine& line :
       {v1::LogLine(), run, progress, heartbeat, GapRecord(3, 9, v1::GAP_REASON_DROPPED, 1),
        ResultRecord(10, result, 2)}) {
    ExpectTheLibrarys(line);
  }
}

TEST(Json, IsOneLine) {
  v1::Run run;
  run.set_job("a\nb");
  (*run.mutable_parameters())["k"] = "v";
  std::string json = "before ";
  AppendJson(run, JsonFields::kAll, &json);
  EXPECT_EQ(json, R"(before {"id":"","job":"a\nb","parameters":{"k":"v"},)"
                  R"("state":"RUN_STATE_UNSPECIFIED","lastSequence":"0",)"
                  R"("cutParameters":[],"omittedParameters":0,"createdBy":""})");
}

}  // namespace
}  // namespace jobtail
