// Tests of what is kept of an ended run's parameters.

#include "server/run/cut_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/utf8.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;

v1::Run RunWith(const std::map<std::string, std::string>& parameters) {
  v1::Run run;
  run.mutable_parameters()->insert(parameters.begin(), parameters.end());
  return run;
}

size_t BytesOf(const v1::Run& run) {
  size_t bytes = 0;
  for (const auto& [name, value] : run.parameters()) bytes += name.size() + value.size();
  for (const std::string& name : run.cut_parameters()) bytes += name.size();
  return bytes;
}

TEST(CutParameters, LeavesAloneWhatIsShort) {
  v1::Run run = RunWith({{"a", std::string(kMostValueBytes, 'x')}, {"b", ""}});
  const std::string before = run.DebugString();
  CutParameters(&run);
  EXPECT_EQ(run.DebugString(), before);
  EXPECT_FALSE(HasCutParameters(run));
}

TEST(CutParameters, CutsALongValueAndNamesIt) {
  v1::Run run = RunWith({{"long", std::string(1'000'000, 'x')}, {"short", "y"}});
  CutParameters(&run);
  EXPECT_EQ(run.parameters().at("long"), std::string(kMostValueBytes, 'x'));
  EXPECT_EQ(run.parameters().at("short"), "y");
  EXPECT_THAT(run.cut_parameters(), ElementsAre("long"));
  EXPECT_EQ(run.omitted_parameters(), 0);
  EXPECT_TRUE(HasCutParameters(run));
}

TEST(CutParameters, CutsBetweenCharacters) {
  std::string text = "x";
  for (int i = 0; i < 200; ++i) text += "\u20ac";
  v1::Run run = RunWith({{"text", text}});
  CutParameters(&run);
  const std::string& cut = run.parameters().at("text");
  EXPECT_TRUE(IsUtf8(cut));
  EXPECT_EQ(cut, text.substr(0, 1 + 85 * 3));
}

TEST(CutParameters, KeepsTheNamesOfManyAndNoMoreThanTheBound) {
  std::map<std::string, std::string> parameters;
  for (int i = 10; i < 60; ++i) parameters[absl::StrCat("name", i)] = std::string(200, 'x');
  v1::Run run = RunWith(parameters);
  CutParameters(&run);
  EXPECT_LE(BytesOf(run), kMostParameterBytes);
  EXPECT_GT(run.cut_parameters_size(), 0);
  EXPECT_EQ(run.parameters().at("name10"), parameters["name10"]);
  EXPECT_EQ(run.parameters_size() + run.omitted_parameters(), 50);
}

TEST(CutParameters, CountsThoseWhoseNamesAreTooMuch) {
  std::map<std::string, std::string> parameters;
  for (int i = 1000; i < 3000; ++i) parameters[absl::StrCat("parameter", i)] = "1";
  v1::Run run = RunWith(parameters);
  CutParameters(&run);
  EXPECT_LE(BytesOf(run), kMostParameterBytes);
  EXPECT_GT(run.parameters_size(), 50);
  EXPECT_EQ(run.parameters_size() + run.omitted_parameters(), 2000);
}

TEST(CutParameters, OnceMoreChangesNothing) {
  v1::Run run = RunWith({{"long", std::string(5000, 'x')}});
  CutParameters(&run);
  const std::string before = run.DebugString();
  CutParameters(&run);
  EXPECT_EQ(run.DebugString(), before);
}

}  // namespace
}  // namespace jobtail
