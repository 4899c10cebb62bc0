// Tests of which addresses secrets may be sent to.
#include "base/fetch/url.h"

#include <gtest/gtest.h>

namespace jobtail {
namespace {

TEST(UrlTest, AnEncryptedWayIsTaken) {
  for (const char* url : {"https://a.example", "https://a.example/b?c=d", "http://127.0.0.1:80/x",
                          "http://127.1.2.3", "http://[::1]:8080", "http://localhost/x"}) {
    EXPECT_TRUE(CheckUrl(url).ok()) << url;
  }
}

TEST(UrlTest, AnotherWayIsNot) {
  for (const char* url :
       {"", "a", "http://a.example", "http://10.0.0.1", "http://127.0.0.1.a.example",
        "http://localhost.a.example", "http://128.0.0.1", "http://[::2]", "ftp://127.0.0.1",
        "file:///etc/passwd", "https://user:password@a.example", "https://a.example/#x",
        "http://a.example@127.0.0.1", "https://", "https://a b"}) {
    EXPECT_FALSE(CheckUrl(url).ok()) << url;
  }
  EXPECT_FALSE(CheckUrl("https://a.example?b=c", /*may_have_query=*/false).ok());
}

TEST(UrlTest, FieldsAreEncoded) {
  EXPECT_EQ(EncodeForm({{"a", "b c&d=\xc3\xa9"}, {"e", ""}}), "a=b%20c%26d%3D%C3%A9&e=");
  const auto fields = DecodeForm(EncodeForm({{"a", "b c&d=\xc3\xa9%"}, {"e", ""}}));
  EXPECT_EQ(fields.at("a"), "b c&d=\xc3\xa9%");
  EXPECT_EQ(fields.at("e"), "");
  EXPECT_EQ(DecodeForm("a=%4&b=%zz&&c").at("b"), "%zz");
  EXPECT_EQ(WithQuery("https://a/", {{"b", "c"}}), "https://a/?b=c");
  EXPECT_EQ(WithQuery("https://a/?x=y", {{"b", "c"}}), "https://a/?x=y&b=c");
  EXPECT_EQ(HostOfUrl("https://a.example:8443/x"), "a.example");
}

}  // namespace
}  // namespace jobtail
