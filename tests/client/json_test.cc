#include "client/cli/json.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>

namespace jobtail::client::cli {
namespace {

std::string Standard(const v1::LogLine& line) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(line, &json, options).ok());
  return json;
}

std::string Ours(const v1::LogLine& line) {
  std::string json;
  JsonLineWriter().Append(line, &json);
  return json;
}

v1::LogLine TextLine(const std::string& text) {
  v1::LogLine line;
  line.set_sequence(4711);
  line.mutable_time()->set_seconds(1'700'000'000);
  line.mutable_time()->set_nanos(120'000'000);
  line.set_stream(v1::STREAM_STDERR);
  line.set_ending(v1::ENDING_CR);
  line.set_text(text);
  return line;
}

TEST(JsonLineTest, LooksLikeThis) {
  EXPECT_EQ(Ours(TextLine("hello")),
            R"({"sequence":"4711","stream":"STREAM_STDERR","ending":"ENDING_CR",)"
            R"("time":"2023-11-14T22:13:20.120Z","text":"hello"})");
}

TEST(JsonLineTest, EqualsProtobufsForEveryText) {
  for (int c = 0; c < 128; ++c) {
    const v1::LogLine line = TextLine("a" + std::string(1, static_cast<char>(c)) + "b");
    EXPECT_EQ(Ours(line), Standard(line)) << c;
  }
  for (const char* text :
       {"", "Grüße", "世界 🚀", "\u2028\u2029", "\u00ad\ufeff", "<a href=\"x\">"}) {
    EXPECT_EQ(Ours(TextLine(text)), Standard(TextLine(text)));
  }
}

TEST(JsonLineTest, EqualsProtobufsForEveryField) {
  v1::LogLine line = TextLine("x");
  line.set_sequence(0);
  EXPECT_EQ(Ours(line), Standard(line));
  line = TextLine("x");
  line.clear_time();
  EXPECT_EQ(Ours(line), Standard(line));
  line = TextLine("x");
  line.mutable_time()->set_nanos(123'456'789);
  EXPECT_EQ(Ours(line), Standard(line));
  line = TextLine("x");
  line.set_stream(v1::STREAM_UNSPECIFIED);
  line.set_ending(v1::ENDING_UNSPECIFIED);
  EXPECT_EQ(Ours(line), Standard(line));
  line = TextLine("x");
  line.set_stream(static_cast<v1::Stream>(77));
  EXPECT_EQ(Ours(line), Standard(line));
}

TEST(JsonLineTest, EqualsProtobufsForEveryContent) {
  v1::LogLine line = TextLine("");
  line.set_raw("\xff\x00\x01");
  EXPECT_EQ(Ours(line), Standard(line));
  line.mutable_result()->set_state(v1::RUN_STATE_FAILED);
  line.mutable_result()->set_exit_code(3);
  EXPECT_EQ(Ours(line), Standard(line));
  line.mutable_gap()->set_last(9);
  EXPECT_EQ(Ours(line), Standard(line));
  line.mutable_run()->set_job("x");
  EXPECT_EQ(Ours(line), Standard(line));
}

TEST(JsonTest, IsOneLine) {
  v1::Run run;
  run.set_job("a\nb");
  (*run.mutable_parameters())["k"] = "v";
  std::string json = "before ";
  AppendJson(run, &json);
  EXPECT_EQ(json, R"(before {"id":"","job":"a\nb","parameters":{"k":"v"},)"
                  R"("state":"RUN_STATE_UNSPECIFIED","lastSequence":"0"})");
}

}  // namespace
}  // namespace jobtail::client::cli
