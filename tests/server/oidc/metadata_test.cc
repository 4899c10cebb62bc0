// Tests of what an issuer may say about itself.
#include "server/oidc/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace jobtail::oidc {
namespace {

using ::testing::HasSubstr;

constexpr char kIssuer[] = "https://issuer.example/realm";

std::string Document(const std::string& more, const std::string& issuer = kIssuer) {
  return absl::StrCat("{\"issuer\":\"", issuer, "\"", more, "}");
}

TEST(MetadataTest, IsFoundBelowTheIssuer) {
  EXPECT_EQ(MetadataUrl("https://a/b"), "https://a/b/.well-known/openid-configuration");
  EXPECT_EQ(MetadataUrl("https://a/"), "https://a/.well-known/openid-configuration");
}

TEST(MetadataTest, NamesEndpoints) {
  const auto metadata = ParseMetadata(
      Document(R"(,"jwks_uri":"https://k.example/keys?v=1","token_endpoint":"https://t.example/t",
        "token_endpoint_auth_methods_supported":["client_secret_post"],
        "authorization_response_iss_parameter_supported":true)"),
      kIssuer);
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->jwks_uri, "https://k.example/keys?v=1");
  EXPECT_EQ(metadata->token_endpoint, "https://t.example/t");
  EXPECT_EQ(metadata->authorization_endpoint, "");
  EXPECT_TRUE(metadata->sends_secret_in_form);
  EXPECT_TRUE(metadata->names_itself);
}

TEST(MetadataTest, IsThatOfTheIssuer) {
  for (const char* other : {"https://issuer.example/realm/", "https://issuer.example", ""}) {
    EXPECT_THAT(std::string(ParseMetadata(Document("", other), kIssuer).status().message()),
                HasSubstr("calls itself"));
  }
  EXPECT_FALSE(ParseMetadata("[]", kIssuer).ok());
}

TEST(MetadataTest, SendsNobodyWhereSecretsWouldBeSeen) {
  for (const char* address : {"http://keys.example", "http://127.0.0.1/", "file:///etc/passwd",
                              "https://user@keys.example", "keys"}) {
    const auto metadata =
        ParseMetadata(Document(absl::StrCat(",\"jwks_uri\":\"", address, "\"")), kIssuer);
    EXPECT_THAT(std::string(metadata.status().message()), HasSubstr("jwks_uri: ")) << address;
  }
}

}  // namespace
}  // namespace jobtail::oidc
