// What is taken for JSON, and what is not.

#include "server/http/json_check.h"

#include <gmock/gmock.h>

#include "jobtail/v1/job_service.pb.h"

namespace jobtail::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::Status Check(std::string_view text) {
  return CheckJson(text, *v1::CreateRunRequest::descriptor());
}

std::string Complaint(std::string_view text) { return std::string(Check(text).message()); }

TEST(CheckJson, TakesWhatTheGrammarHas) {
  for (const char* text :
       {"{}", " \t\r\n{ } ", R"({"job":"a","parameters":{"x":"1","y":"2"},"requestId":"3"})",
        R"({"job" : "a" , "parameters" : { } })", "[]", "[1, -0, 0.5, 1e9, 1E-9, -12.25e+3]",
        R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", "\"\xc3\xa9\xf0\x9f\x98\x80\"", "true", "false",
        "null", R"({"a":{"job":1},"b":{"job":2}})", R"([{"a":1},{"a":2}])"}) {
    EXPECT_TRUE(Check(text).ok()) << text << ": " << Check(text);
  }
}

TEST(CheckJson, TakesNothingElse) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1",
                           "{\"a\":1,}",
                           "{,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\":'b'}",
                           "[1,]",
                           "[1 2]",
                           "[",
                           "\"a",
                           "\"\\",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"a\nb\"",
                           "01",
                           "-",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "1e+",
                           "NaN",
                           "Infinity",
                           "tru",
                           "nul",
                           "True",
                           "{} {}",
                           "{}x",
                           "1 2",
                           "// a\n{}",
                           "/**/{}",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(Check(text).code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(CheckJson, TakesEachNameOnce) {
  EXPECT_THAT(Complaint(R"({"job":"a","job":"a"})"),
              AllOf(HasSubstr("\"job\" is given twice"), HasSubstr("at byte 11")));
  EXPECT_THAT(Complaint(R"({"job":"a","\u006a\u006Fb":"b"})"), HasSubstr("is given twice"));
  EXPECT_THAT(Complaint(R"({"requestId":"a","request_id":"b"})"), HasSubstr("is given twice"));
  EXPECT_THAT(Complaint(R"({"parameters":{"x":"1","x":"2"}})"), HasSubstr("\"x\" is given twice"));
  EXPECT_TRUE(Check(R"({"parameters":{"requestId":"1","request_id":"2"}})").ok())
      << "names of parameters, not of fields";
}

TEST(CheckJson, TakesNoNumberForTextThatWouldBeWrittenOtherwise) {
  for (const char* value : {"1e3", "1.0", "-0", "0.5", "12345678901234567890", "null"}) {
    EXPECT_THAT(Complaint(std::string(R"({"parameters":{"x":)") + value + "}}"),
                HasSubstr(std::string("as \"") + value + "\""));
  }
  for (const char* value : {"0", "-12", "123456789012345", "true", "false"}) {
    EXPECT_TRUE(Check(std::string(R"({"parameters":{"x":)") + value + "}}").ok()) << value;
  }
  EXPECT_FALSE(Check(R"({"job":1.5})").ok());
  EXPECT_TRUE(Check(R"({"job":null,"onDisconnect":1e0})").ok());
}

TEST(CheckJson, TakesNoHalfCharacters) {
  EXPECT_THAT(Complaint("{\"job\":\"\xff\"}"), HasSubstr("not UTF-8"));
  EXPECT_THAT(Complaint("{\"job\":\"\xed\xa0\x80\"}"), HasSubstr("not UTF-8"));
  for (const char* half :
       {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud800\ud800")"}) {
    EXPECT_THAT(Complaint(half), HasSubstr("surrogate")) << half;
  }
}

TEST(CheckJson, GoesOnlySoDeep) {
  EXPECT_TRUE(Check(std::string(32, '[') + std::string(32, ']')).ok());
  EXPECT_THAT(Complaint(std::string(1'000'000, '[')), HasSubstr("deep"));
}

}  // namespace
}  // namespace jobtail::http
