// Tests of callers who are known by the token of an issuer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/access/access_control.h"
#include "tests/server/oidc/signer.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace jobtail::access {
namespace {

using oidc::testing::EcSigner;
using oidc::testing::Jwks;
using oidc::testing::RsaSigner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IssuerTest : public ::testing::Test {
 protected:
  IssuerTest() {
    WriteFile(directory_.path() + "/keys.json", Jwks(RsaSigner().Jwk()));
    WriteFile(file_, Policy(""));
    auto access = AccessControl::Open(file_, &clock_);
    EXPECT_TRUE(access.ok()) << access.status();
    if (access.ok()) access_ = *std::move(access);
  }

  static std::string Policy(const std::string& more) {
    return absl::StrCat(R"(
      role { name: "all" allow { job: "*" verb: [LIST, READ] } }
      grant { role: "all" group: "web" principal: "anything:*" }
      oidc { issuer: "https://issuer.example" audience: "jobtail" jwks_file: "keys.json"
             groups_claim: "groups" )",
                        more, " }");
  }
  static void WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(name + ".new") << text;
    chmod((name + ".new").c_str(), 0600);
    ASSERT_EQ(rename((name + ".new").c_str(), name.c_str()), 0);
  }
  void SetPolicy(const std::string& more) {
    WriteFile(file_, Policy(more));
    access_->Reload();
  }

  std::string Token(const std::string& audience = "jobtail") const {
    const int64_t end = absl::ToUnixSeconds(clock_.Now()) + 60;
    return "Bearer " +
           RsaSigner().Sign(
               "RS256",
               absl::StrCat(R"({"iss":"https://issuer.example","aud":")", audience,
                            R"(","sub":"alice","groups":["web"],)", R"("exp":)", end, "}"),
               R"({"kid":"rsa"})");
  }
  absl::StatusOr<Caller> Admit(const std::string& authorization, const std::string& session = "") {
    return access_->Admit(
        {.authorization = authorization, .session = session, .peer = "ipv4:1.2.3.4:5"});
  }
  absl::StatusCode CodeOf(const Caller& caller) {
    return access_->RightsOf(caller).status().code();
  }

  FakeClock clock_;
  const testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/access.txt";
  std::unique_ptr<AccessControl> access_;
};

TEST_F(IssuerTest, ATokenProvesItsPrincipalUntilItExpires) {
  const auto caller = Admit(Token());
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->principal->name, "oidc:alice");
  EXPECT_EQ(caller->principal->proof, Proof::kJwt);
  EXPECT_THAT(access_->GroupsOf(*caller), ElementsAre("web"));
  EXPECT_TRUE((*access_->RightsOf(*caller))->MayAny(SetOf(Verb::kRead)));
  clock_.Advance(absl::Seconds(89));
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kOk);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kUnauthenticated);
}

TEST_F(IssuerTest, ASessionEndsWithTheTokenThatHasBegunIt) {
  const auto secret =
      access_->SignIn({.peer = "ipv4:1.2.3.4:5"}, Token().substr(std::string("Bearer ").size()));
  ASSERT_TRUE(secret.ok()) << secret.status();
  const auto caller = Admit("", *secret);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->principal->proof, Proof::kSession);
  EXPECT_EQ(caller->principal->name, "oidc:alice");
  SetPolicy("# the same\n");
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kOk);
  SetPolicy("name_claim: \"email\"");
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(Admit("", *secret).ok());
}

TEST_F(IssuerTest, AKeyThatIsGoneEndsWhatItHasProved) {
  const auto caller = Admit(Token());
  ASSERT_TRUE(caller.ok());
  WriteFile(directory_.path() + "/keys.json", Jwks(RsaSigner().Jwk() + "," + EcSigner().Jwk()));
  access_->Reload();
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kOk);
  WriteFile(directory_.path() + "/keys.json",
            Jwks(oidc::testing::Signer(R_KEY_TYPE_RSA, 2048, "rsa").Jwk()));
  access_->Reload();
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(Admit(Token()).ok());
}

TEST_F(IssuerTest, AWrongFileChangesNothing) {
  const auto caller = Admit(Token());
  ASSERT_TRUE(caller.ok());
  const int64_t failed = access_->failed_reloads();
  WriteFile(directory_.path() + "/keys.json", "{\"keys\":[]}");
  access_->Reload();
  SetPolicy("audience: \"\"");
  EXPECT_GE(access_->failed_reloads(), failed + 2);
  EXPECT_EQ(CodeOf(*caller), absl::StatusCode::kOk);
  EXPECT_TRUE(Admit(Token()).ok());
}

TEST_F(IssuerTest, AWrongTokenIsWrittenDownAsAGuess) {
  absl::Status last;
  for (int i = 0; i < 25; ++i) last = Admit(Token("other")).status();
  EXPECT_EQ(last.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Admit(Token()).ok());
}

// A signature takes a while to check, whether it is right or forged.
TEST_F(IssuerTest, ATokenIsNotVerifiedWhereNobodyMayWait) {
  std::string policy = Policy("");
  policy.replace(policy.find("verb: [LIST, READ] }"), std::string("verb: [LIST, READ] }").size(),
                 "verb: [LIST, READ] } limits { request_bytes: 100 }");
  WriteFile(file_, policy);
  access_->Reload();
  const std::string token = Token();
  const Credentials credentials{.authorization = token, .peer = "ipv4:1.2.3.4:5"};
  auto held = access_->HoldRequest(credentials, 101);
  ASSERT_TRUE(held.ok()) << "nobody knows yet whose it is";
  EXPECT_FALSE(held->is_owned());
  const auto caller = access_->Admit(credentials);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_FALSE(access_->HoldRequest(*caller, 101, &*held).ok()) << "it counts once that is known";
  EXPECT_FALSE(access_->HoldRequest(credentials, 101).ok()) << "and from then on at once";
  EXPECT_TRUE(access_->HoldRequest(credentials, 100)->is_owned());
  WriteFile(directory_.path() + "/keys.json",
            Jwks(oidc::testing::Signer(R_KEY_TYPE_RSA, 2048, "rsa").Jwk()));
  access_->Reload();
  EXPECT_FALSE(access_->HoldRequest(credentials, 100)->is_owned()) << "it is worth nothing by now";
}

TEST_F(IssuerTest, ACertificateIsNoIssuer) {
  PeerIdentity peer;
  peer.kind = PeerIdentity::Kind::kCertificate;
  peer.uris = {"oidc:alice"};
  EXPECT_FALSE(access_->Admit({.peer_identity = &peer, .peer = "ipv4:1.2.3.4:5"}).ok());
  peer.uris = {"anything:alice"};
  EXPECT_TRUE(access_->Admit({.peer_identity = &peer, .peer = "ipv4:1.2.3.4:5"}).ok());
}

}  // namespace
}  // namespace jobtail::access
