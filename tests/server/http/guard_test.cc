// Tests of the checks on Host and Origin.

#include "server/http/guard.h"

#include <gmock/gmock.h>

#include "server/http/parse_public_url.h"

namespace jobtail::http {
namespace {

bool HostPasses(std::string_view host, bool on_loopback, const HttpOptions& options = {}) {
  return CheckHost({.method = "GET", .host = host, .on_loopback = on_loopback}, options).ok();
}

TEST(CheckHost, OnLoopbackTakesNoNameButItsOwn) {
  for (const char* host : {"localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080",
                           "[::1]:8080", "demo.localhost:80"}) {
    EXPECT_TRUE(HostPasses(host, true)) << host;
  }
  for (const char* host :
       {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "",
        "[::1", "[::1]evil.example", "notlocalhost"}) {
    EXPECT_FALSE(HostPasses(host, true)) << host;
  }
}

TEST(CheckHost, TakesNamesThatAreConfigured) {
  const HttpOptions options{.allowed_hosts = {"ci.example.com"}};
  EXPECT_TRUE(HostPasses("CI.example.com:443", true, options));
  EXPECT_FALSE(HostPasses("other.example.com", true, options));
  EXPECT_FALSE(HostPasses("other.example.com", false, options));
}

TEST(CheckHost, ElsewhereTakesNoNameThatIsNotConfigured) {
  EXPECT_FALSE(HostPasses("build-7.example.com:8080", false));
  EXPECT_TRUE(
      HostPasses("build-7.example.com:8080", false, {.allowed_hosts = {"build-7.example.com"}}));
  for (const char* host : {"localhost", "demo.localhost:80", "127.0.0.1", "10.0.0.1:8080", ""}) {
    EXPECT_FALSE(HostPasses(host, false)) << host;
  }
  EXPECT_TRUE(HostPasses("localhost:8080", false, {.allowed_hosts = {"localhost"}}));
  EXPECT_TRUE(HostPasses("10.0.0.1:8080", false, {.allowed_hosts = {"10.0.0.1"}}));
}

TEST(CheckHost, ElsewhereTakesTheAddressThatTheClientHasConnectedTo) {
  const auto passes = [](std::string_view host, std::string_view own) {
    return CheckHost({.method = "GET", .host = host, .own_address = own}, {}).ok();
  };
  EXPECT_TRUE(passes("10.0.0.1:8080", "10.0.0.1"));
  EXPECT_TRUE(passes("10.0.0.1", "::ffff:10.0.0.1"));
  EXPECT_TRUE(passes("[fd00:0::1]:8080", "fd00::1"));
  EXPECT_FALSE(passes("10.0.0.2:8080", "10.0.0.1"));
  EXPECT_FALSE(passes("10.0.0.1.evil.example", "10.0.0.1"));
  EXPECT_FALSE(passes("", ""));
}

Provenance Post() {
  return {.method = "POST",
          .host = "localhost:8080",
          .content_type = "application/json",
          .has_body = true};
}

TEST(CheckOrigin, TakesProgramsAndThePageItself) {
  EXPECT_TRUE(CheckOrigin(Post(), {}).ok());
  Provenance from = Post();
  from.origin = "http://localhost:8080";
  from.fetch_site = "same-origin";
  EXPECT_TRUE(CheckOrigin(from, {}).ok());
  from.content_type = "Application/JSON; charset=utf-8";
  EXPECT_TRUE(CheckOrigin(from, {}).ok());
}

TEST(CheckOrigin, RefusesPagesOfOtherSites) {
  Provenance from = Post();
  for (const char* origin : {"http://evil.example", "http://localhost:9090", "null",
                             "http://localhost:8080.evil.example", "http://localhost"}) {
    from.origin = origin;
    EXPECT_EQ(CheckOrigin(from, {}).code(), absl::StatusCode::kPermissionDenied) << origin;
  }
  from.origin = "";
  from.fetch_site = "cross-site";
  EXPECT_FALSE(CheckOrigin(from, {}).ok());
  from.fetch_site = "same-site";
  EXPECT_FALSE(CheckOrigin(from, {}).ok()) << "another port is another site's page";
}

TEST(CheckOrigin, TakesOriginsThatAreConfigured) {
  Provenance from = Post();
  from.origin = "https://ci.example.com";
  from.fetch_site = "cross-site";
  EXPECT_TRUE(CheckOrigin(from, {.allowed_origins = {"https://ci.example.com"}}).ok());
}

// As a proxy hands it on that puts the server's own address in the place of the Host.
TEST(CheckOrigin, TakesThePageAtItsPublicAddressAlone) {
  const HttpOptions options{.public_url = *ParsePublicUrl("https://CI.example.com:443/jobs")};
  Provenance from = Post();
  from.origin = "https://ci.example.com";
  from.fetch_site = "same-origin";
  EXPECT_THAT(std::string(CheckOrigin(from, {}).message()),
              ::testing::AllOf(::testing::HasSubstr("--public-url"),
                               ::testing::HasSubstr("\"https://ci.example.com\"")));
  EXPECT_TRUE(CheckOrigin(from, options).ok());
  EXPECT_TRUE(CheckForm(from, options).ok());
  from.fetch_site = "same-site";
  EXPECT_FALSE(CheckOrigin(from, options).ok());
  from.fetch_site = "";
  for (const char* origin : {"http://ci.example.com", "https://ci.example.com:8443",
                             "https://evil.example", "https://ci.example.com.evil.example"}) {
    from.origin = origin;
    EXPECT_FALSE(CheckOrigin(from, options).ok()) << origin;
  }
  EXPECT_TRUE(HostPasses("ci.example.com", true, options));
  EXPECT_TRUE(HostPasses("CI.example.com:8443", true, options));
  EXPECT_FALSE(HostPasses("other.example.com", true, options));
  EXPECT_FALSE(HostPasses("", true, {}));
}

TEST(CheckOrigin, RefusesWhatAFormCanSend) {
  Provenance from = Post();
  for (const char* type : {"application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "text/plain", "", "application/jsonp"}) {
    from.content_type = type;
    EXPECT_EQ(CheckOrigin(from, {}).code(), absl::StatusCode::kInvalidArgument) << type;
  }
  from.has_body = false;
  from.content_type = "";
  EXPECT_TRUE(CheckOrigin(from, {}).ok()) << "as curl -X POST does";
  from.content_type = "text/plain";
  EXPECT_FALSE(CheckOrigin(from, {}).ok());
}

TEST(CheckForm, TakesThePagesOwnFormAlone) {
  Provenance from{.method = "POST",
                  .host = "localhost:8080",
                  .origin = "http://localhost:8080",
                  .content_type = "application/x-www-form-urlencoded"};
  EXPECT_TRUE(CheckForm(from, {}).ok());
  from.origin = "";
  from.referer = "http://evil.example/page";
  EXPECT_FALSE(CheckForm(from, {}).ok()) << "of an older browser";
  from.referer = "";
  from.fetch_site = "cross-site";
  EXPECT_FALSE(CheckForm(from, {}).ok());
  from.fetch_site = "";
  from.origin = "null";
  EXPECT_FALSE(CheckForm(from, {}).ok()) << "as a redirect to here says";
}

TEST(IsFromOwnPage, TakesNobodysWordForSilence) {
  for (const char* host : {"localhost:8080", "127.0.0.1:8080", "build.example.com"}) {
    Provenance from{.method = "POST", .host = host};
    EXPECT_FALSE(IsFromOwnPage(from)) << host;
    from.fetch_site = "none";
    EXPECT_FALSE(IsFromOwnPage(from)) << host << ", which survives a redirect";
    from.fetch_site = "same-origin";
    EXPECT_TRUE(IsFromOwnPage(from)) << host;
    from.fetch_site = "";
    from.origin = "http://build.example.com";
    EXPECT_TRUE(IsFromOwnPage(from)) << host;
  }
}

TEST(IsLoopback, KnowsItInEachForm) {
  const auto is_loopback = [](const char* text) {
    return IsLoopback(boost::asio::ip::make_address(text));
  };
  for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(text)) << text;
  }
  for (const char* text : {"10.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "fe80::1"}) {
    EXPECT_FALSE(is_loopback(text)) << text;
  }
}

}  // namespace
}  // namespace jobtail::http
