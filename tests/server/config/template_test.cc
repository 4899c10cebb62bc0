// Tests of command templates with places for values.

#include "server/config/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobtail::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TemplateTest, ValuesComeInTheirPlacesAsTheyAre) {
  const auto text = Template::Parse("--{a}={b}{a}");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(text->Names(), ElementsAre("a", "b", "a"));
  EXPECT_EQ(text->Expand({{"a", "{b}"}, {"b", "}}"}}), "--{b}=}}{b}");
}

TEST(TemplateTest, DoubledBracesAreBraces) {
  EXPECT_EQ(Template::Parse("awk '{{print}}' ${{x}}")->Expand({}), "awk '{print}' ${x}");
  EXPECT_EQ(Template::Parse("{{{a}}}")->Expand({{"a", "1"}}), "{1}");
  EXPECT_EQ(Template::Parse("")->Expand({}), "");
}

TEST(TemplateTest, ABraceOutOfPlaceIsAMistake) {
  for (const char* text : {"{", "}", "a{b", "{A}", "{}", "{a b}", "x}"}) {
    const auto parsed = Template::Parse(text);
    EXPECT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("write \"{{\" or \"}}\""));
  }
}

}  // namespace
}  // namespace jobtail::config
