// Tests of each type of parameter: what it takes, refuses and makes of it.

#include "server/run/parameter.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "jobtail/v1/job.pb.h"
#include "server/run/parameter_check.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;

// The canonical form of `text`, or the error's message.
std::string Canonical(const Parameter& parameter, const std::string& text) {
  const absl::StatusOr<ParameterValue> value = ParseValue(parameter.proto(), text);
  if (value.ok()) return FormatValue(*value);
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

template <typename T>
T Value(const Parameter& parameter, const std::string& text) {
  return std::get<T>(*ParseValue(parameter.proto(), text));
}

std::string Complaint(const v1::Parameter& parameter) {
  return std::string(CheckDeclaration(parameter).message());
}

std::string Complaint(const Parameter& parameter) { return Complaint(parameter.proto()); }

// One as files declare it, in which there can be mistakes that the compiler finds in a program.
v1::Parameter FromFile(Parameter begun, const std::string& rest) {
  v1::Parameter parameter = begun.proto();
  EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(rest, &parameter)) << rest;
  return parameter;
}

TEST(Parameter, StringTakesAnyText) {
  const Parameter name = Parameter::String("name");
  EXPECT_EQ(Canonical(name, ""), "");
  EXPECT_EQ(Canonical(name, " a=b\n\xC3\xA9 "), " a=b\n\xC3\xA9 ");
  EXPECT_EQ(Value<std::string>(name, "x"), "x");
}

TEST(Parameter, IntTakesIntegersOf64Bits) {
  const Parameter times = Parameter::Int("times");
  EXPECT_EQ(Value<int64_t>(times, "-12"), -12);
  EXPECT_EQ(Canonical(times, "4711"), "4711");
  EXPECT_EQ(Canonical(times, "007"), "7");
  EXPECT_EQ(Canonical(times, "+7"), "7");
  EXPECT_EQ(Canonical(times, "-0"), "0");
  EXPECT_EQ(Value<int64_t>(times, "9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Value<int64_t>(times, "-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(Parameter, IntTakesNothingElse) {
  const Parameter times = Parameter::Int("times");
  for (const char* text : {"", "ten", "1.0", "1e3", "0x10", "1 2", "9223372036854775808", "--1"}) {
    EXPECT_EQ(Canonical(times, text), std::string("parameter times=\"") + text +
                                          "\": give an integer of 64 bits, such as 10");
  }
}

TEST(Parameter, DoubleTakesFiniteNumbers) {
  const Parameter rate = Parameter::Double("rate");
  EXPECT_EQ(Value<double>(rate, "1e-3"), 0.001);
  EXPECT_EQ(Value<double>(rate, "10"), 10.0);
  EXPECT_EQ(Value<double>(rate, "-.5"), -0.5);
  for (const char* text : {"", "half", "nan", "inf", "-inf", "1e999", "1,5", "1.5x"}) {
    EXPECT_EQ(Canonical(rate, text),
              std::string("parameter rate=\"") + text + "\": give a finite number, such as 0.5");
  }
}

TEST(Parameter, DoubleIsShownInTheFewestDigitsThatReadBackTheSame) {
  const Parameter rate = Parameter::Double("rate");
  EXPECT_EQ(Canonical(rate, "0.1"), "0.1");
  EXPECT_EQ(Canonical(rate, "0.50"), "0.5");
  EXPECT_EQ(Canonical(rate, "100"), "100");
  EXPECT_EQ(Parameter::Double("rate").Default(0.1).proto().default_value(), "0.1");
  for (const double value : {1.0 / 3, 1e300, 5e-324, -123456.789, 1e15}) {
    EXPECT_EQ(Value<double>(rate, FormatValue(value)), value);
  }
}

TEST(Parameter, BoolTakesTheUsualWords) {
  const Parameter dry = Parameter::Bool("dry_run");
  for (const char* text : {"true", "True", "TRUE", "1", "yes"}) {
    EXPECT_EQ(Canonical(dry, text), "true") << text;
  }
  for (const char* text : {"false", "FALSE", "0", "no", "No"}) {
    EXPECT_EQ(Canonical(dry, text), "false") << text;
  }
  for (const char* text : {"", "2", "maybe", "t", " true"}) {
    EXPECT_EQ(Canonical(dry, text),
              std::string("parameter dry_run=\"") + text + "\": give true or false");
  }
}

TEST(Parameter, DurationTakesNumbersWithUnits) {
  const Parameter wait = Parameter::Duration("wait");
  EXPECT_EQ(Value<absl::Duration>(wait, "1.5s"), absl::Milliseconds(1500));
  EXPECT_EQ(Value<absl::Duration>(wait, "1h30m"), absl::Minutes(90));
  EXPECT_EQ(Value<absl::Duration>(wait, "-2ms"), absl::Milliseconds(-2));
  EXPECT_EQ(Canonical(wait, "90m"), "1h30m");
  EXPECT_EQ(Canonical(wait, "1500ms"), "1.5s");
  EXPECT_EQ(Canonical(wait, "0"), "0");
  for (const char* text :
       {"", "10", "1d", "s", "inf", "-inf", "1s later", "99999999999999999999h"}) {
    EXPECT_EQ(Canonical(wait, text),
              std::string("parameter wait=\"") + text +
                  "\": give a duration with its unit, such as 1.5s or 2h30m");
  }
}

TEST(Parameter, EnumTakesItsValuesAlone) {
  const Parameter level = Parameter::Enum("level", {"low", "high"});
  EXPECT_EQ(Value<std::string>(level, "high"), "high");
  for (const char* text : {"", "HIGH", "medium"}) {
    EXPECT_EQ(Canonical(level, text),
              std::string("parameter level=\"") + text + "\": give one of: low, high");
  }
}

TEST(Parameter, LimitsAreInclusive) {
  const Parameter times = Parameter::Int("times").Range(1, 10);
  EXPECT_EQ(Canonical(times, "1"), "1");
  EXPECT_EQ(Canonical(times, "10"), "10");
  EXPECT_EQ(Canonical(times, "0"), "parameter times=\"0\": give 1 or more");
  EXPECT_EQ(Canonical(times, "11"), "parameter times=\"11\": give 10 or less");
  EXPECT_EQ(Canonical(times, "-99999999999"), "parameter times=\"-99999999999\": give 1 or more");
}

TEST(Parameter, LimitsHoldForDoublesAndDurations) {
  const Parameter rate = Parameter::Double("rate").Range(0, 1);
  EXPECT_EQ(Canonical(rate, "1"), "1");
  EXPECT_EQ(Canonical(rate, "1.0000001"), "parameter rate=\"1.0000001\": give 1 or less");
  const Parameter wait = Parameter::Duration("wait").Range(absl::Seconds(1), absl::Hours(2));
  EXPECT_EQ(Canonical(wait, "2h"), "2h");
  EXPECT_EQ(Canonical(wait, "999ms"), "parameter wait=\"999ms\": give 1s or more");
  EXPECT_EQ(Canonical(wait, "121m"), "parameter wait=\"121m\": give 2h or less");
}

TEST(Parameter, AnErrorShowsHostileTextEscapedAndCut) {
  const std::string message = Canonical(Parameter::Int("n"), "\xFF\n" + std::string(1000, 'x'));
  EXPECT_THAT(message, HasSubstr("\\xff\\n"));
  EXPECT_THAT(message, HasSubstr("\"...: give an integer"));
  EXPECT_LT(message.size(), 200);
}

TEST(Parameter, TellsWhatItIs) {
  const v1::Parameter proto =
      Parameter::Int("times").Default(10).Range(0, 100).Help("How many.").proto();
  EXPECT_EQ(proto.name(), "times");
  EXPECT_EQ(proto.type(), v1::PARAMETER_TYPE_INT);
  EXPECT_EQ(proto.help(), "How many.");
  EXPECT_FALSE(proto.required());
  EXPECT_EQ(proto.default_value(), "10");
  EXPECT_EQ(proto.minimum(), "0");
  EXPECT_EQ(proto.maximum(), "100");
  EXPECT_TRUE(Parameter::String("name").proto().required());
  EXPECT_EQ(Parameter::Bool("flag").Default(true).proto().default_value(), "true");
  EXPECT_EQ(Parameter::Duration("wait").Default(absl::Seconds(90)).proto().default_value(),
            "1m30s");
}

TEST(ParameterDeclaration, ThatMakesSenseIsTaken) {
  for (const Parameter& parameter :
       std::vector<Parameter>{Parameter::String("a"), Parameter::String("a_b2").Default(""),
                              Parameter::Int("n").Default(5).Range(5, 5),
                              Parameter::Double("x").Default(1).Range(0, 1),
                              Parameter::Enum("e", {"only"}).Default("only"),
                              Parameter::Duration("d"), Parameter::String(std::string(63, 'x'))}) {
    EXPECT_EQ(Complaint(parameter), "");
  }
}

TEST(ParameterDeclaration, NeedsAName) {
  for (const char* name : {"", "1st", "Name", "with-dash", "with space", "_x", "caf\xC3\xA9"}) {
    EXPECT_THAT(Complaint(Parameter::Int(name)), HasSubstr("a name is a lower-case letter"))
        << name;
  }
  EXPECT_THAT(Complaint(Parameter::Int(std::string(64, 'x'))), HasSubstr("at most 63"));
}

TEST(ParameterDeclaration, NeedsADefaultThatItWouldTake) {
  EXPECT_EQ(Complaint(FromFile(Parameter::Int("n").Default(1), "default_value: 'ten'")),
            "parameter n=\"ten\": give an integer of 64 bits, such as 10");
  EXPECT_EQ(Complaint(Parameter::Int("n").Default(11).Range(0, 10)),
            "parameter n=\"11\": give 10 or less");
  EXPECT_EQ(Complaint(Parameter::Enum("e", {"a", "b"}).Default("c")),
            "parameter e=\"c\": give one of: a, b");
}

TEST(ParameterDeclaration, NeedsLimitsThatMakeSense) {
  EXPECT_EQ(Complaint(FromFile(Parameter::String("s"), "minimum: '0' maximum: '1'")),
            "parameter s: has a range; only Int, Double and Duration can have one");
  EXPECT_THAT(Complaint(Parameter::Duration("d").Range("1", "2")),
              HasSubstr("parameter d=\"1\": give"));
  EXPECT_EQ(Complaint(Parameter::Int("n").Range(10, 0)),
            "parameter n: its range is empty: 10 to 0");
}

TEST(ParameterDeclaration, NeedsValuesForAnEnum) {
  EXPECT_EQ(Complaint(Parameter::Enum("e", {})), "parameter e: an enum needs at least one value");
}

}  // namespace
}  // namespace jobtail
