// A proxy that names users, over mTLS and both doors; and everybody else who tries to.
#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/e2e/access_fixture.h"
#include "tests/e2e/tls_http_client.h"
#include "tests/e2e/with_tls.h"
#include "tests/support/certificates.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;
using testing::KeyPair;
using ::testing::Not;

const std::string& Policy() {
  static const auto& policy = *new std::string(absl::StrCat(
      kAccessPolicy,
      "trusted_proxy { principal: \"spiffe://example.org/proxy\" user_header: \"x-forwarded-user\" "
      "groups_header: \"x-forwarded-groups\" }\n"));
  return policy;
}

class NamingProxyTest : protected Place, public AccessTest {
 protected:
  NamingProxyTest() : AccessTest(Policy(), WithTls(place_.path())) {}

  // Who a call is taken to be from: the same at both doors.
  std::string WhoIs(const KeyPair& pair, const Headers& headers) {
    const auto stub = v1::JobService::NewStub(grpc::CreateChannel(
        server().grpc_address(),
        grpc::SslCredentials({Ca().certificate(), pair.key, pair.certificate})));
    grpc::ClientContext context;
    for (const auto& [name, value] : headers) {
      context.AddMetadata(absl::AsciiStrToLower(name), value);
    }
    v1::WhoAmIResponse response;
    const grpc::Status status = stub->WhoAmI(&context, {}, &response);
    const HttpAnswer answer = TlsHttpClient(server().http_url(), pair).Get("/v1/whoami", headers);
    if (!status.ok()) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
      EXPECT_EQ(answer.status, 401) << answer.body;
      return "nobody";
    }
    EXPECT_THAT(answer.body, HasSubstr("\"name\":\"" + response.name() + "\""));
    EXPECT_THAT(answer.body, HasSubstr(v1::Proof_Name(response.proof())));
    std::string who = absl::StrCat(response.name(), " ", v1::Proof_Name(response.proof()));
    for (const std::string& group : response.groups()) absl::StrAppend(&who, " ", group);
    return who;
  }

  const KeyPair proxy_ = Ca().Issue("URI:spiffe://example.org/proxy");
  const KeyPair reader_ = Ca().Issue("URI:spiffe://example.org/reader");
  const Headers alice_ = {{"X-Forwarded-User", "alice"}, {"X-Forwarded-Groups", "web,ops"}};
};

TEST_F(NamingProxyTest, IsBelieved) {
  EXPECT_EQ(WhoIs(proxy_, alice_), "proxy:alice PROOF_PROXY ops web");
  EXPECT_EQ(WhoIs(proxy_, {}), "nobody") << "a proxy is not its users";
}

TEST_F(NamingProxyTest, IsNobodyElse) {
  EXPECT_EQ(WhoIs(reader_, alice_), "spiffe://example.org/reader PROOF_CERTIFICATE");
  EXPECT_EQ(WhoIs({}, alice_), "nobody") << "without a certificate";
  EXPECT_EQ(WhoIs(Ca().Issue("DNS:spiffe-example-org-proxy"), alice_),
            "dns:spiffe-example-org-proxy PROOF_CERTIFICATE");
  const std::string token = Token("operator");
  EXPECT_EQ(WhoIs({}, {{"Authorization", "Bearer " + token}, alice_[0]}), "operator PROOF_TOKEN");
  EXPECT_EQ(WhoIs(proxy_, {{"Authorization", "Bearer " + token}, alice_[0]}),
            "operator PROOF_TOKEN")
      << "a proof of the caller's own";
}

TEST_F(NamingProxyTest, LetsNoClientAddAName) {
  EXPECT_EQ(WhoIs(proxy_, {{"X-Forwarded-User", "operator"}, {"X-Forwarded-User", "alice"}}),
            "nobody");
  EXPECT_EQ(WhoIs(proxy_, {{"X-Forwarded-User", "alice"}, {"X-Forwarded-Groups", "gid:0"}}),
            "nobody");
}

// Of what comes behind a body, in which a proxy looks for nothing.
TEST_F(NamingProxyTest, NamesNobodyInATrailer) {
  const auto ask = [&](const std::string& headers, const std::string& trailers) {
    TlsHttpClient client(server().http_url(), proxy_);
    client.SendBytes(absl::StrCat("GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n", headers,
                                  "Transfer-Encoding: chunked\r\n\r\n0\r\n", trailers, "\r\n"));
    return client.ReadAnswer();
  };
  const std::string user = "X-Forwarded-User: alice\r\n";
  const std::string groups = "X-Forwarded-Groups: web,ops\r\n";
  EXPECT_THAT(ask(user + groups, "").body, HasSubstr("\"ops\""));
  const HttpAnswer answer = ask(user, groups);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("proxy:alice"));
  EXPECT_THAT(answer.body, Not(HasSubstr("ops")));
  EXPECT_EQ(ask("", user).status, 401);
  EXPECT_EQ(ask("", "Authorization: Bearer " + Token("operator") + "\r\n").status, 401);
}

// The names are those of the proxy's users, not of tokens: "operator" may everything.
TEST_F(NamingProxyTest, NamesNoTokensOwner) {
  SetPolicy(absl::StrReplaceAll(Policy(), {{"principal: \"proxy:operator\"", ""}}));
  const auto ask = [&](const std::string& user) {
    return TlsHttpClient(server().http_url(), proxy_)
        .Get("/v1/jobs/greet", {{"X-Forwarded-User", user}})
        .status;
  };
  EXPECT_EQ(ask("operator"), 404);
  EXPECT_EQ(ask("reader"), 200) << "who is granted proxy:reader";
}

class NamingWithoutProofTest : public AccessTest {
 protected:
  NamingWithoutProofTest() : AccessTest(Policy()) {}
};

TEST_F(NamingWithoutProofTest, IsIgnored) {
  HttpClient client(server().http_url());
  EXPECT_EQ(client.Get("/v1/whoami", {{"X-Forwarded-User", "operator"}}).status, 401);
  grpc::ClientContext context;
  context.AddMetadata("x-forwarded-user", "operator");
  v1::WhoAmIResponse response;
  EXPECT_EQ(stub().WhoAmI(&context, {}, &response).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace jobtail::e2e
