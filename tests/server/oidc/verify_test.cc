// Tests of which tokens are taken, and which forged ones are not.
#include "server/oidc/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/server/oidc/signer.h"

namespace jobtail::oidc {
namespace {

using testing::EcSigner;
using ::testing::ElementsAre;
using testing::Encode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Jwks;
using testing::RsaSigner;

constexpr int64_t kNow = 2'000'000'000;

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() {
    settings_.issuer = "https://issuer.example";
    settings_.audiences = {"jobtail", "console"};
    settings_.algorithms = {"RS256", "ES256"};
    settings_.groups_claim = "groups";
    KnowKeys(RsaSigner().Jwk() + "," + EcSigner().Jwk());
  }

  void KnowKeys(const std::string& keys) {
    const auto parsed = KeySet::Parse(Jwks(keys), settings_.algorithms);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    keys_ = *parsed;
  }

  // That of a right token, with some claims replaced; an empty value takes one away.
  static std::string Payload(const std::map<std::string, std::string>& changes = {}) {
    std::map<std::string, std::string> claims = {{"iss", "\"https://issuer.example\""},
                                                 {"aud", "\"jobtail\""},
                                                 {"sub", "\"alice\""},
                                                 {"exp", absl::StrCat(kNow + 60)},
                                                 {"nbf", absl::StrCat(kNow)},
                                                 {"iat", absl::StrCat(kNow)}};
    for (const auto& [name, value] : changes) claims[name] = value;
    std::string payload;
    for (const auto& [name, value] : claims) {
      if (value.empty()) continue;
      absl::StrAppend(&payload, payload.empty() ? "{" : ",", "\"", name, "\":", value);
    }
    return payload + "}";
  }
  static std::string Token(const std::map<std::string, std::string>& changes = {},
                           const std::string& header = R"({"typ":"JWT","kid":"rsa"})") {
    return RsaSigner().Sign("RS256", Payload(changes), header);
  }

  absl::StatusOr<Claims> Check(const std::string& token) {
    return Verify(token, settings_, *keys_, absl::FromUnixSeconds(kNow));
  }
  std::string Trouble(const std::string& token) {
    const auto claims = Check(token);
    if (claims.ok()) return "";
    EXPECT_EQ(claims.status().code(), absl::StatusCode::kUnauthenticated);
    return std::string(claims.status().message());
  }

  Settings settings_;
  std::shared_ptr<const KeySet> keys_;
};

TEST_F(VerifyTest, ARightTokenSaysWhoCalls) {
  const auto claims = Check(Token({{"groups", R"(["web","ops","web"])"}, {"nonce", "\"n\""}}));
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(claims->name, "oidc:alice");
  EXPECT_THAT(claims->groups, ElementsAre("ops", "web"));
  EXPECT_EQ(claims->expires, absl::FromUnixSeconds(kNow + 60) + kLeeway);
  EXPECT_EQ(claims->nonce, "n");
  EXPECT_EQ(claims->key, keys_->Find("rsa", "RS256")->id);
  const std::string ec = EcSigner().Sign("ES256", Payload(), R"({"kid":"ec","typ":"at+jwt"})");
  EXPECT_EQ(Trouble(ec), "");
}

TEST_F(VerifyTest, ASignatureOfSomebodyElseIsNone) {
  const testing::Signer other(R_KEY_TYPE_RSA, 2048, "rsa");
  EXPECT_THAT(Trouble(other.Sign("RS256", Payload(), R"({"kid":"rsa"})")),
              HasSubstr("not signed by the issuer's key"));
  std::string token = Token();
  const size_t payload = token.find('.') + 1;
  token.replace(payload, token.find('.', payload) - payload,
                Encode(Payload({{"sub", "\"root\""}})));
  EXPECT_THAT(Trouble(token), HasSubstr("not signed by the issuer's key"));
  EXPECT_THAT(Trouble(token.substr(0, token.rfind('.') + 1)), HasSubstr("not signed"));
}

TEST_F(VerifyTest, AKeyThatTheTokenBringsAlongIsNotLookedAt) {
  const testing::Signer other(R_KEY_TYPE_RSA, 2048, "rsa");
  const std::string header = absl::StrCat(R"({"kid":"rsa","jwk":)", other.Jwk(), "}");
  EXPECT_THAT(Trouble(other.Sign("RS256", Payload(), header)), HasSubstr("not signed"));
  EXPECT_THAT(
      Trouble(other.Sign("RS256", Payload(), R"({"kid":"rsa","jku":"http://127.0.0.1:1/keys"})")),
      HasSubstr("not signed"));
}

TEST_F(VerifyTest, NoSignatureIsNone) {
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string header = absl::StrCat(R"({"kid":"rsa","alg":")", none, "\"}");
    const std::string token = absl::StrCat(Encode(header), ".", Encode(Payload()), ".");
    EXPECT_THAT(Trouble(token), HasSubstr("this server takes RS256, ES256")) << none;
  }
  EXPECT_THAT(Trouble(absl::StrCat(Encode("{}"), ".", Encode(Payload()), ".")),
              HasSubstr("this server takes RS256"));
}

TEST_F(VerifyTest, APublicKeyIsNoSharedSecret) {
  const std::string head = R"({"kid":"rsa","alg":"HS256"})";
  const std::string what = absl::StrCat(Encode(head), ".", Encode(Payload()));
  const std::string key = RsaSigner().Jwk();
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(what.data()), what.size(), mac, &size);
  const std::string token =
      absl::StrCat(what, ".", Encode(std::string(reinterpret_cast<char*>(mac), size)));
  EXPECT_THAT(Trouble(token), HasSubstr("signed by \"HS256\""));
}

TEST_F(VerifyTest, AKeyIsForOneAlgorithm) {
  settings_.algorithms = {"RS256", "PS256", "ES256"};
  KnowKeys(RsaSigner().Jwk());
  EXPECT_EQ(Trouble(Token()), "");
  EXPECT_THAT(Trouble(RsaSigner().Sign("PS256", Payload(), R"({"kid":"rsa"})")),
              HasSubstr("an algorithm that its key is not for"));
  KnowKeys(RsaSigner().Jwk(R"("alg":"PS256")"));
  EXPECT_EQ(Trouble(RsaSigner().Sign("PS256", Payload(), R"({"kid":"rsa"})")), "");
  EXPECT_THAT(Trouble(Token()), HasSubstr("an algorithm that its key is not for"));
}

TEST_F(VerifyTest, AnUnknownKeyVerifiesNothing) {
  EXPECT_THAT(Trouble(Token({}, R"({"kid":"other"})")),
              HasSubstr("a key that the issuer does not have"));
  EXPECT_EQ(Trouble(Token({}, "{}")), "");  // there is one of that algorithm
  KnowKeys(RsaSigner().Jwk() + "," + testing::Signer(R_KEY_TYPE_RSA, 2048, "rsa-2").Jwk());
  EXPECT_THAT(Trouble(Token({}, "{}")), HasSubstr("a key that the issuer does not have"));
}

TEST_F(VerifyTest, ItIsOfThatIssuerAndForThatAudience) {
  for (const char* issuer : {"\"https://issuer.example/\"", "\"https://evil.example\"", "7", ""}) {
    EXPECT_THAT(Trouble(Token({{"iss", issuer}})), HasSubstr("another issuer")) << issuer;
  }
  EXPECT_EQ(Trouble(Token({{"aud", R"(["other","console"])"}})), "");
  EXPECT_THAT(Trouble(Token({{"aud", "\"other\""}})),
              HasSubstr("another audience; this server's is jobtail, console"));
  for (const char* audience : {"", "[]", "7", "[7]"}) {
    EXPECT_THAT(Trouble(Token({{"aud", audience}})), HasSubstr("whom it is for")) << audience;
  }
}

TEST_F(VerifyTest, ItHasATime) {
  EXPECT_EQ(Trouble(Token({{"exp", absl::StrCat(kNow - 29)}})), "");
  EXPECT_THAT(Trouble(Token({{"exp", absl::StrCat(kNow - 30)}})),
              HasSubstr("expired at 2033-05-18T03:32:50"));
  for (const char* never : {"", "\"2000000060\"", "1e300", "-1", "null"}) {
    EXPECT_THAT(Trouble(Token({{"exp", never}})), HasSubstr("does not say when")) << never;
  }
  EXPECT_EQ(Trouble(Token({{"nbf", absl::StrCat(kNow + 30)}})), "");
  EXPECT_THAT(Trouble(Token({{"nbf", absl::StrCat(kNow + 31)}})), HasSubstr("not valid before"));
  EXPECT_THAT(Trouble(Token({{"iat", absl::StrCat(kNow + 31)}})), HasSubstr("not valid before"));
  EXPECT_THAT(Trouble(Token({{"nbf", "\"now\""}})), HasSubstr("no time in \"nbf\""));
  EXPECT_EQ(Trouble(Token({{"nbf", ""}, {"iat", ""}})), "");
}

TEST_F(VerifyTest, ANameIsOneThatTheAccessFileCanName) {
  for (const char* name : {"", "\"\"", "\"a b\"", "\"a\\nb\"", "\"\u00e9\"", "7", "[\"a\"]"}) {
    EXPECT_THAT(Trouble(Token({{"sub", name}})), HasSubstr("no name in \"sub\"")) << name;
  }
  EXPECT_THAT(Trouble(Token({{"sub", "\"" + std::string(256, 'a') + "\""}})),
              HasSubstr("no name in \"sub\""));
  settings_.name_claim = "email";
  settings_.name_prefix = "oidc:corp:";
  const std::string address = "\"alice@example.com\"";
  EXPECT_EQ(Check(Token({{"email", address}, {"email_verified", "true"}}))->name,
            "oidc:corp:alice@example.com");
  EXPECT_THAT(Trouble(Token({{"email", address}})), HasSubstr("does not say that it has verified"))
      << "whoever may write what address is his could be anybody";
  for (const char* verified : {"false", "\"true\"", "1"}) {
    EXPECT_THAT(Trouble(Token({{"email", address}, {"email_verified", verified}})),
                HasSubstr("does not say that it has verified"));
  }
}

TEST_F(VerifyTest, GroupsAreNotThoseOfASocket) {
  EXPECT_THAT(Check(Token({{"groups", R"(["gid:0","a b","web",""])"}}))->groups,
              ElementsAre("web"));
  EXPECT_THAT(Check(Token({{"groups", "\"web\""}}))->groups, ElementsAre("web"));
  EXPECT_THAT(Trouble(Token({{"groups", "{}"}})), HasSubstr("no list of at most"));
  settings_.groups_prefix = "corp:";
  EXPECT_THAT(Check(Token({{"groups", R"(["gid:0","web"])"}}))->groups,
              ElementsAre("corp:gid:0", "corp:web"));
  settings_.groups_claim = "";
  EXPECT_THAT(Check(Token({{"groups", "\"web\""}}))->groups, IsEmpty());
}

TEST_F(VerifyTest, OtherKindsOfTokensDoNotSayWhoCalls) {
  for (const char* kind : {"logout+jwt", "dpop+jwt", "application/secevent+jwt", ""}) {
    const std::string header = absl::StrCat(R"({"kid":"rsa","typ":")", kind, "\"}");
    EXPECT_THAT(Trouble(Token({}, header)), HasSubstr("of a kind")) << kind;
  }
  EXPECT_EQ(Trouble(Token({}, R"({"kid":"rsa","typ":"application/at+jwt"})")), "");
  EXPECT_THAT(Trouble(Token({}, R"({"kid":"rsa","crit":["exp"]})")), HasSubstr("critical"));
}

TEST_F(VerifyTest, WhatIsNoTokenIsRefused) {
  const std::string token = Token();
  for (const std::string& garbage :
       {std::string(), std::string("."), std::string(".."), std::string("..."),
        std::string("a.b.c"), token + ".", token + "=", " " + token, token.substr(1),
        absl::StrCat(Encode("[]"), ".", Encode("[]"), "."),
        absl::StrCat(Encode(R"({"alg":"none","alg":"RS256"})"), ".", Encode(Payload()), ".x"),
        absl::StrCat(Encode(std::string(5000, '[')), ".", Encode(Payload()), ".x"),
        std::string(100, '\0'), std::string("\xff.\xff.\xff")}) {
    EXPECT_NE(Trouble(garbage), "") << garbage;
  }
  EXPECT_THAT(Trouble(Token({{"more", "\"" + std::string(8 << 10, 'x') + "\""}})),
              HasSubstr("longer than 8192 bytes"));
  EXPECT_THAT(Trouble(Token({{"sub\":\"root\",\"sub", "\"alice\""}})), HasSubstr("no JWT"));
}

TEST_F(VerifyTest, ATokenTellsWhatItSaysOfItself) {
  EXPECT_EQ(HintsOf(Token()).issuer, "https://issuer.example");
  EXPECT_EQ(HintsOf(Token()).kid, "rsa");
  EXPECT_EQ(HintsOf("a.b.c").issuer, "");
  EXPECT_TRUE(IsJwt(Token()));
  EXPECT_TRUE(IsJwt("a.b."));
  EXPECT_FALSE(IsJwt("jt_0_0"));
  EXPECT_FALSE(IsJwt("a.b.c.d.e"));  // that is an encrypted one
}

}  // namespace
}  // namespace jobtail::oidc
