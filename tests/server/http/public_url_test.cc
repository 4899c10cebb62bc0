// Tests of reading --public-url.
#include <gmock/gmock.h>

#include "server/http/parse_public_url.h"

namespace jobtail::http {
namespace {

TEST(ParsePublicUrl, TakesItApart) {
  const auto url = ParsePublicUrl("HTTPS://CI.Example.com:8443/Jobs");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->origin, "https://ci.example.com:8443");
  EXPECT_EQ(url->host, "ci.example.com");
  EXPECT_EQ(url->path, "/Jobs/");
  EXPECT_TRUE(url->is_https);
}

TEST(ParsePublicUrl, HasTheOriginAsBrowsersWriteIt) {
  EXPECT_EQ(ParsePublicUrl("https://ci.example.com:443/")->origin, "https://ci.example.com");
  EXPECT_EQ(ParsePublicUrl("http://ci.example.com:80")->origin, "http://ci.example.com");
  EXPECT_EQ(ParsePublicUrl("http://ci.example.com:443")->origin, "http://ci.example.com:443");
  EXPECT_EQ(ParsePublicUrl("http://[::1]:80/")->origin, "http://[::1]");
  EXPECT_EQ(ParsePublicUrl("http://[::1]:81/")->origin, "http://[::1]:81");
  EXPECT_EQ(ParsePublicUrl("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(ParsePublicUrl("https://a")->path, "/");
}

TEST(ParsePublicUrl, OfNothingIsNone) {
  EXPECT_EQ(ParsePublicUrl("")->origin, "");
  EXPECT_EQ(ParsePublicUrl("")->path, "/");
}

TEST(ParsePublicUrl, RefusesWhatIsNone) {
  for (const char* bad :
       {"ci.example.com", "ftp://ci.example.com", "https://", "https:///jobs", "https://a b/",
        "https://user@ci.example.com/", "https://ci.example.com:x/", "https://ci.example.com:/",
        "https://ci.example.com/jobs?x", "https://ci.example.com/jobs#x", "https://a/b;c/",
        "https://a//b", "https://a/b c", "https://[::1/", "https://ci.example.com?x"}) {
    const auto url = ParsePublicUrl(bad);
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(url.status().message()), ::testing::HasSubstr("--public-url")) << bad;
  }
}

}  // namespace
}  // namespace jobtail::http
