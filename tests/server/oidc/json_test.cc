// Tests of reading JSON strictly.
#include "server/oidc/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jobtail::oidc {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

TEST(JsonTest, OnlyAnUnambiguousObjectIsOne) {
  EXPECT_TRUE(ParseObject(R"({"a":1})"));
  EXPECT_TRUE(ParseObject("\xEF\xBB\xBF{}")) << "with a byte order mark";
  for (const char* text : {"", "[]", "7", R"({"a":1,"a":2})", R"({"a":1} x)", R"({"a":"\u0000"})",
                           "{\"a\":\"\xff\"}", "{"}) {
    EXPECT_FALSE(ParseObject(text)) << text;
  }
}

TEST(JsonTest, Base64UrlIsThatAlone) {
  EXPECT_THAT(DecodeBase64Url("-_8"), Optional(Eq("\xfb\xff")));
  EXPECT_THAT(DecodeBase64Url(""), Optional(Eq("")));
  for (const char* text : {"+/8", "YQ==", "YQ=", "Y", "YWJj\n", " YWJj"}) {
    EXPECT_FALSE(DecodeBase64Url(text)) << text;
  }
}

TEST(JsonTest, MembersHaveTypes) {
  const Json json = ParseObject(R"({"text":"a","list":["a","b"],"mixed":["a",1],"time":1.5})");
  EXPECT_EQ(StringAt(json, "text"), "a");
  EXPECT_EQ(StringAt(json, "time"), "");
  EXPECT_THAT(ListAt(json, "list"), Optional(ElementsAre("a", "b")));
  EXPECT_THAT(ListAt(json, "text"), Optional(ElementsAre("a")));
  EXPECT_THAT(ListAt(json, "none"), Optional(ElementsAre()));
  EXPECT_FALSE(ListAt(json, "mixed"));
  EXPECT_FALSE(ListAt(json, "time"));
  EXPECT_EQ(TimeAt(json, "time"), absl::UnixEpoch() + absl::Milliseconds(1500));
  EXPECT_FALSE(TimeAt(json, "text"));
}

}  // namespace
}  // namespace jobtail::oidc
