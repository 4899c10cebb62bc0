// Tests of the form of tokens, and of digests.
#include "server/access/secret.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace jobtail::access {
namespace {

TEST(SecretTest, TokensAreAllDifferentAndHaveAnId) {
  std::set<std::string> tokens;
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string token = MakeToken();
    tokens.insert(token);
    ids.insert(std::string(TokenId(token)));
    EXPECT_EQ(token.size(), 84);
    EXPECT_EQ(token.find(std::string(TokenId(token))), 3);
  }
  EXPECT_EQ(tokens.size(), 100);
  EXPECT_EQ(ids.size(), 100);
}

TEST(SecretTest, WhatHasNotTheFormOfATokenHasNoId) {
  const std::string token = MakeToken();
  EXPECT_EQ(TokenId(""), "");
  EXPECT_EQ(TokenId(token + "0"), "");
  EXPECT_EQ(TokenId(token.substr(1)), "");
  EXPECT_EQ(TokenId(token.substr(0, token.size() - 1) + "G"), "");
  EXPECT_EQ(TokenId(token.substr(0, token.size() - 1) + "A"), "");
}

TEST(SecretTest, ATokenIsFoundWithinText) {
  const std::string token = MakeToken();
  EXPECT_TRUE(HasToken(token));
  EXPECT_TRUE(HasToken("a=jt_&token=" + token + "&b=1"));
  EXPECT_FALSE(HasToken("jt_" + token.substr(0, 80)));
  EXPECT_FALSE(HasToken(""));
}

TEST(SecretTest, ADigestIsThatOfSha256) {
  const std::string hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(ToHex(DigestOf("abc")), hex);
  ASSERT_TRUE(ParseDigest(hex));
  EXPECT_TRUE(AreEqual(*ParseDigest(hex), DigestOf("abc")));
  EXPECT_FALSE(AreEqual(*ParseDigest(hex), DigestOf("abd")));
  EXPECT_FALSE(ParseDigest(hex.substr(2)));
  EXPECT_FALSE(ParseDigest(hex.substr(1) + "x"));
}

}  // namespace
}  // namespace jobtail::access
