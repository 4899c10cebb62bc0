// Tests of query strings as fields of a request.

#include "server/http/query.h"

#include <gmock/gmock.h>

#include "jobtail/v1/job_service.pb.h"

namespace jobtail::http {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

v1::TailLogRequest Tail(const Query& query) {
  v1::TailLogRequest request;
  const absl::Status set = SetFields(query, &request);
  EXPECT_TRUE(set.ok()) << set;
  return request;
}

std::string ErrorOf(const Query& query) {
  v1::TailLogRequest request;
  const absl::Status set = SetFields(query, &request);
  EXPECT_EQ(set.code(), absl::StatusCode::kInvalidArgument);
  return std::string(set.message());
}

TEST(ParseQuery, DecodesNamesAndValues) {
  EXPECT_THAT(*ParseQuery("a=1&b=x%20y+z&%63=%3D&d&&e="),
              ElementsAre(Pair("a", "1"), Pair("b", "x y z"), Pair("c", "="), Pair("d", ""),
                          Pair("e", "")));
  EXPECT_THAT(*ParseQuery(""), ElementsAre());
}

TEST(ParseQuery, RefusesAPercentSignByItself) {
  for (const char* text : {"a=100%", "a=%4", "a=%zz", "%=1"}) {
    EXPECT_EQ(ParseQuery(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(PercentDecode, LeavesAPlusInAPathAlone) { EXPECT_EQ(*PercentDecode("a+b", false), "a+b"); }

TEST(SetFields, SetsEveryKindOfField) {
  const v1::TailLogRequest request = Tail({{"run", "r"},
                                           {"from_sequence", "12"},
                                           {"follow", "true"},
                                           {"streams", "STREAM_STDERR"},
                                           {"streams", "1"},
                                           {"pattern", "a|b"}});
  EXPECT_EQ(request.run(), "r");
  EXPECT_EQ(request.from_sequence(), 12);
  EXPECT_TRUE(request.follow());
  EXPECT_THAT(request.streams(), ElementsAre(v1::STREAM_STDERR, v1::STREAM_STDOUT));
  EXPECT_EQ(request.pattern(), "a|b");
}

TEST(SetFields, TakesNamesInJsonToo) {
  EXPECT_EQ(Tail({{"fromSequence", "3"}}).from_sequence(), 3);
  EXPECT_EQ(Tail({{"lastLines", "0"}}).start_case(), v1::TailLogRequest::kLastLines);
}

TEST(SetFields, TakesATimeInRfc3339) {
  EXPECT_EQ(Tail({{"since", "2026-11-23T09:30:00.5Z"}}).since().seconds(), 1795426200);
  EXPECT_EQ(Tail({{"since", "2026-11-23T10:30:00+01:00"}}).since().seconds(), 1795426200);
  EXPECT_EQ(Tail({{"since_ago", "90.5s"}}).since_ago().seconds(), 90);
}

TEST(SetFields, NamesTheParameterAndWhatWouldBeRight) {
  EXPECT_THAT(ErrorOf({{"from", "1"}}), AllOf(HasSubstr("\"from\""), HasSubstr("from_sequence")));
  EXPECT_THAT(ErrorOf({{"follow", "yes"}}), AllOf(HasSubstr("yes"), HasSubstr("true or false")));
  EXPECT_THAT(ErrorOf({{"from_sequence", "1e3"}}), HasSubstr("integer"));
  EXPECT_THAT(ErrorOf({{"streams", "stdout"}}), HasSubstr("STREAM_STDOUT"));
  EXPECT_THAT(ErrorOf({{"since", "yesterday"}}), HasSubstr("2026-11-23T09:30:00Z"));
  EXPECT_THAT(ErrorOf({{"pattern", "\xff"}}), HasSubstr("UTF-8"));
}

TEST(SetFields, RefusesTwoStartsAndTheSameTwice) {
  EXPECT_THAT(ErrorOf({{"from_sequence", "1"}, {"last_lines", "2"}}), HasSubstr("exclude"));
  EXPECT_THAT(ErrorOf({{"from_sequence", "1"}, {"from_sequence", "2"}}), HasSubstr("twice"));
  EXPECT_THAT(ErrorOf({{"follow", "true"}, {"follow", "false"}}),
              HasSubstr("follow is given twice"));
  EXPECT_THAT(ErrorOf({{"last_lines", "1"}, {"lastLines", "1"}}), HasSubstr("twice"));
}

std::string MisplacedIn(const google::protobuf::Message& message, const std::string& name) {
  const absl::Status status = CheckNoQuery({{name, "1"}}, *message.GetDescriptor());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
  return std::string(status.message());
}

TEST(CheckNoQuery, NamesWhatIsMisplacedAndWhereItBelongs) {
  EXPECT_TRUE(CheckNoQuery({}, *v1::RunJobRequest::descriptor()).ok());
  EXPECT_THAT(MisplacedIn(v1::RunJobRequest(), "times"),
              AllOf(HasSubstr("\"times\""), HasSubstr("{\"parameters\": {...}}")));
  EXPECT_THAT(MisplacedIn(v1::CreateRunRequest(), "job"), HasSubstr("{\"job\": ...}"));
  EXPECT_THAT(MisplacedIn(v1::CreateRunRequest(), "requestId"), HasSubstr("{\"requestId\": ...}"));
  EXPECT_THAT(MisplacedIn(v1::CancelRunRequest(), "why"), HasSubstr("takes none"));
}

TEST(SetVariable, SetsWhatThePathNamesUnlessTheBodySaysAnotherThing) {
  v1::RunJobRequest request;
  EXPECT_TRUE(SetVariable("", "x", &request).ok());
  EXPECT_TRUE(SetVariable("job", "a", &request).ok());
  EXPECT_EQ(request.job(), "a");
  EXPECT_TRUE(SetVariable("job", "a", &request).ok());
  const absl::Status other = SetVariable("job", "b", &request);
  EXPECT_EQ(other.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(other.message()), AllOf(HasSubstr("\"a\""), HasSubstr("\"b\"")));
}

TEST(SetFields, RefusesANumberThatDoesNotFit) {
  v1::ListRunsRequest request;
  EXPECT_FALSE(SetFields({{"page_size", "4294967297"}}, &request).ok());
  EXPECT_TRUE(SetFields({{"page_size", "7"}}, &request).ok());
  EXPECT_EQ(request.page_size(), 7);
}

}  // namespace
}  // namespace jobtail::http
