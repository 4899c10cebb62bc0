// Tests of which keys of a JWKS are used, and for what.
#include "server/oidc/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/oidc/signer.h"

namespace jobtail::oidc {
namespace {

using testing::EcSigner;
using ::testing::HasSubstr;
using testing::Jwks;
using testing::RsaSigner;

const auto& kAll = *new std::vector<std::string>{"PS256", "RS256", "ES256", "EdDSA"};

absl::StatusOr<std::shared_ptr<const KeySet>> Parse(const std::string& keys) {
  return KeySet::Parse(Jwks(keys), kAll);
}

TEST(KeySetTest, AKeyIsPinnedToItsOwnAlgorithmOrTheFirstThatFits) {
  const auto keys = Parse(RsaSigner().Jwk() + "," + EcSigner().Jwk(R"("use":"sig")"));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_NE((*keys)->Find("rsa", "PS256"), nullptr);
  EXPECT_EQ((*keys)->Find("rsa", "RS256"), nullptr);
  EXPECT_NE((*keys)->Find("ec", "ES256"), nullptr);
  const auto named = Parse(RsaSigner().Jwk(R"("alg":"RS256")"));
  EXPECT_NE((*named)->Find("rsa", "RS256"), nullptr);
  EXPECT_EQ((*named)->Find("rsa", "PS256"), nullptr);
}

TEST(KeySetTest, KeysForOtherUsesAreLeftOut) {
  for (const char* more :
       {R"("use":"enc")", R"("use":7)", R"("key_ops":["encrypt"])", R"("alg":"RSA-OAEP")",
        R"("alg":"RS512")", R"("alg":7)", R"("d":"AA")"}) {
    const auto keys = Parse(RsaSigner().Jwk(more));
    EXPECT_THAT(std::string(keys.status().message()), HasSubstr("no key in it is for signatures"))
        << more;
  }
  EXPECT_TRUE(Parse(RsaSigner().Jwk(R"("key_ops":["verify"])")).ok());
}

TEST(KeySetTest, WeakAndSharedAndBrokenKeysAreLeftOut) {
  EXPECT_FALSE(Parse(testing::Signer(R_KEY_TYPE_RSA, 1024, "weak").Jwk()).ok());
  EXPECT_FALSE(Parse(R"({"kty":"oct","k":"AAAA","kid":"rsa"})").ok());
  EXPECT_FALSE(Parse(R"({"kty":"RSA","n":"!","e":"AQAB"})").ok());
  EXPECT_FALSE(Parse("7,\"x\",{},[]").ok());
  const auto keys = Parse("7,{}," + RsaSigner().Jwk());
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ((*keys)->keys().size(), 1u);
}

TEST(KeySetTest, WhatIsNoSetIsRefused) {
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", "{\"keys\":[]", "\xff"}) {
    EXPECT_FALSE(KeySet::Parse(text, kAll).ok()) << text;
  }
  std::string many = "{}";
  for (size_t i = 0; i < KeySet::kMostKeys; ++i) many += ",{}";
  EXPECT_THAT(std::string(Parse(many).status().message()), HasSubstr("more than 100"));
}

TEST(KeySetTest, EveryKindOfSignatureIsVerified) {
  const testing::Signer ed(R_KEY_TYPE_EDDSA, 256, "ed");
  const testing::Signer p384(R_KEY_TYPE_EC, 384, "p384");
  const testing::Signer p521(R_KEY_TYPE_EC, 521, "p521");
  struct Case {
    const char* algorithm;
    const testing::Signer* signer;
  };
  for (const auto& [algorithm, signer] :
       {Case{"RS256", &RsaSigner()}, Case{"RS384", &RsaSigner()}, Case{"RS512", &RsaSigner()},
        Case{"PS256", &RsaSigner()}, Case{"PS384", &RsaSigner()}, Case{"PS512", &RsaSigner()},
        Case{"ES256", &EcSigner()}, Case{"ES384", &p384}, Case{"ES512", &p521},
        Case{"EdDSA", &ed}}) {
    const auto keys = KeySet::Parse(Jwks(signer->Jwk()), {algorithm});
    ASSERT_TRUE(keys.ok()) << algorithm << keys.status();
    const Key& key = (*keys)->keys()[0];
    std::string token = signer->Sign(algorithm, "{}");
    EXPECT_TRUE(IsSignedBy(key, token)) << algorithm;
    token[token.rfind('.') + 10] ^= 1;
    EXPECT_FALSE(IsSignedBy(key, token)) << algorithm;
  }
}

TEST(KeySetTest, AKeyIsKnownByWhatItIs) {
  const auto keys = Parse(RsaSigner().Jwk());
  const auto other = Parse(testing::Signer(R_KEY_TYPE_RSA, 2048, "rsa").Jwk());
  const std::string id = (*keys)->keys()[0].id;
  EXPECT_TRUE((*keys)->Has(id));
  EXPECT_FALSE((*other)->Has(id));
  EXPECT_TRUE((*other)->Knows("rsa"));
  EXPECT_FALSE((*other)->Knows(""));
}

}  // namespace
}  // namespace jobtail::oidc
