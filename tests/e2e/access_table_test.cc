// Who may call what: each call and each route for each role, over both doors, by each way to prove
// who one is, held against the table in docs/security.md.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/http/router.h"
#include "server/rpc/standard_services.h"
#include "tests/e2e/access_fixture.h"
#include "tests/e2e/access_table_calls.h"
#include "tests/e2e/raw_call.h"
#include "tests/e2e/tls_http_client.h"
#include "tests/e2e/with_tls.h"
#include "tests/server/oidc/signer.h"
#include "tests/support/certificates.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

const std::vector<std::string>& Roles() {
  static const auto& roles =
      *new std::vector<std::string>{"nobody",   "nothing granted", "elsewhere", "lister", "reader",
                                    "follower", "deployer",        "operator",  "scraper"};
  return roles;
}

// What is no rule of jobtail_http.yaml.
struct Page {
  std::string method;
  std::string path;
};

const std::vector<Page>& Pages() {
  static const auto& pages = *new std::vector<Page>{{"POST", "/stream/{job}"},
                                                    {"GET", "/metrics"},
                                                    {"GET", "/healthz"},
                                                    {"GET", "/readyz"},
                                                    {"GET", "/"},
                                                    {"DELETE", "/session"},
                                                    {"POST", "/session"},
                                                    {"GET", "/login/issuers"},
                                                    {"GET", "/login/oidc"},
                                                    {"GET", "/login/callback"}};
  return pages;
}

// What is asked of each of gRPC's standard services: how the server is, and which services it has.
std::string StandardRequest(std::string_view method) {
  return method.find("Reflection") == std::string_view::npos ? "" : "\x3A\x01*";
}

// How callers prove who they are.
enum class Way { kToken, kJwt, kCookie, kCertificate, kSocket, kProxy };

std::string NameOf(Way way) {
  static constexpr const char* kNames[] = {"Token",       "Jwt",    "Cookie",
                                           "Certificate", "Socket", "Proxy"};
  return kNames[static_cast<int>(way)];
}

// Where the server is: at sockets, with TLS, or as it is.
ServerOptions OptionsFor(Way way, const std::string& directory) {
  ServerOptions options;
  if (way == Way::kSocket || way == Way::kProxy) {
    options.grpc_address = "unix:" + directory + "/grpc.sock";
    options.http.address = "unix:" + directory + "/http.sock";
  }
  return way == Way::kCertificate ? WithTls(directory) : options;
}

std::string Me() { return absl::StrCat("uid:", getuid()); }

// Who comes by a socket without being named is nobody, where a proxy is trusted to name them.
std::string TrustMe() {
  return "trusted_proxy { principal: \"" + Me() + "\" user_header: \"x-forwarded-user\" }\n";
}

const oidc::testing::Signer& Signer() { return oidc::testing::EcSigner(); }

// An issuer's token: the roles are granted to those whom it names, too.
std::string Jwt(const std::string& name) {
  return Signer().Sign(
      "ES256",
      absl::StrCat(R"({"iss":"https://issuer.example","aud":"jobtail","sub":")", name,
                   R"(","exp":)", absl::ToUnixSeconds(absl::Now()) + 3600, "}"),
      R"({"kid":"ec"})");
}

// With an issuer whose keys are in a file.
std::string PolicyFor(Way way, const std::string& directory) {
  if (way != Way::kJwt) return kAccessPolicy;
  const std::string keys = directory + "/keys.json";
  testing::WriteFile(keys, oidc::testing::Jwks(Signer().Jwk()));
  return absl::StrCat(kAccessPolicy,
                      "oidc { issuer: \"https://issuer.example\" audience: \"jobtail\" "
                      "algorithm: ES256 jwks_file: \"",
                      keys, "\" }\n");
}

class AccessTableTest : protected Place,
                        public AccessTest,
                        public ::testing::WithParamInterface<Way> {
 protected:
  AccessTableTest()
      : AccessTest(PolicyFor(GetParam(), place_.path()), OptionsFor(GetParam(), place_.path())) {
    for (const std::string& role : Roles()) {
      if (role == "nobody") continue;
      const std::string name = absl::StrReplaceAll(role, {{" ", "-"}});
      names_[role] = NameFor(name);
      if (by_token()) tokens_[role] = Token(name);
      if (GetParam() == Way::kJwt) tokens_[role] = Jwt(name);
      if (GetParam() == Way::kCertificate) pairs_[role] = Ca().Issue("URI:" + names_[role]);
      Run("wait", names_[role]);  // which a watch tells at once
    }
    server_->Add("other-wait", [](JobContext& run) { run.SleepFor(absl::InfiniteDuration()); });
    Run("other-wait", "somebody-else");
  }

  bool by_token() const { return GetParam() == Way::kToken || GetParam() == Way::kCookie; }

  std::string NameFor(const std::string& name) const {
    switch (GetParam()) {
      case Way::kCertificate:
        return "spiffe://example.org/" + name;
      case Way::kSocket:
        return Me();
      case Way::kJwt:
        return "oidc:" + name;
      case Way::kProxy:
        return "proxy:" + name;
      default:
        return name;
    }
  }

  // Before the calls of a role: a socket's peer is one and the same, with other grants.
  void Become(const std::string& role) {
    role_ = role;
    if (GetParam() == Way::kProxy || (GetParam() == Way::kSocket && role == "nobody")) {
      SetPolicy(kAccessPolicy + TrustMe());
    } else if (GetParam() == Way::kSocket) {
      const bool is_granted = role != "nothing granted";
      SetPolicy(
          kAccessPolicy +
          (is_granted ? "grant { role: \"" + role + "\" principal: \"" + Me() + "\" }\n" : ""));
    }
    cookie_ = GetParam() == Way::kCookie ? Cookie(tokens_[role]) : Headers();
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (GetParam() == Way::kCertificate) {
      const testing::KeyPair& pair = pairs_[role];
      credentials = grpc::SslCredentials({Ca().certificate(), pair.key, pair.certificate});
    }
    channel_ = grpc::CreateChannel(server().grpc_address(), credentials);
    if (GetParam() == Way::kCertificate) tls_ = v1::JobService::NewStub(channel_);
  }

  // What proves in the call itself who asks.
  Headers Proof() {
    if (GetParam() == Way::kToken || GetParam() == Way::kJwt) return Bearer(tokens_[role_]);
    if (GetParam() == Way::kProxy && role_ != "nobody") {
      return {{"x-forwarded-user", names_[role_].substr(6)}};
    }
    return cookie_;
  }

  Answer AskGrpc(const GrpcCall& call, const Target& target) {
    grpc::ClientContext context;
    if (GetParam() == Way::kCookie) Authorize(tokens_[role_], &context);  // gRPC has no cookies
    for (const auto& [name, value] : Proof()) {
      if (name != "Cookie") context.AddMetadata(absl::AsciiStrToLower(name), value);
    }
    return call(tls_ ? *tls_ : stub(), &context, target);
  }

  // Whether there is an answer; there may be more.
  Answer AskStandard(std::string_view method) {
    RawStream stream(channel_, std::string(method),
                     GetParam() == Way::kCookie ? Bearer(tokens_[role_]) : Proof());
    stream.Write(StandardRequest(method));
    return stream.Read() ? OfGrpc(grpc::Status::OK) : OfGrpc(stream.Finish());
  }

  std::unique_ptr<HttpClient> Client() {
    const std::string& url = server().http_url();
    if (GetParam() != Way::kCertificate) return std::make_unique<HttpClient>(url);
    return std::make_unique<TlsHttpClient>(url, pairs_[role_]);
  }

  Answer AskHttp(const std::string& method, const std::string& pattern, const Target& target,
                 const std::string& rpc) {
    const std::unique_ptr<HttpClient> client = Client();
    const std::string path =
        absl::StrReplaceAll(pattern, {{"{run}", target.run}, {"{job}", target.job}});
    Headers all = Proof();
    std::string body;
    if (method == "POST" && path.starts_with("/v1/")) {
      all.emplace_back("Content-Type", "application/json");
      body = rpc == "CreateRun" ? "{\"job\":\"" + target.job + "\"}" : "{}";
    }
    if (method == "POST" && path.starts_with("/stream/")) {
      all.emplace_back("Sec-Fetch-Site", "same-origin");
      all.emplace_back("Content-Type", "application/json");
    }
    if (method == "POST" && path == "/session") {
      all.emplace_back("Content-Type", "application/json");
      body = R"({"token":"jt_none_such"})";
    }
    client->Send(method, path, all, body);
    if (rpc == "WatchRuns" || rpc == "TailLog" || rpc == "RunJob") {  // whether it begins
      const std::string header = client->ReadUntil("\r\n\r\n");
      return header.size() < 12 ? "nothing" : OfHttp(std::atoi(header.substr(9, 3).c_str()));
    }
    const HttpAnswer answer = client->ReadAnswer();
    if (rpc == "ListJobs") return InList(OfHttp(answer.status), answer.body, target.job);
    if (rpc == "ListRuns") return InList(OfHttp(answer.status), answer.body, target.run);
    return OfHttp(answer.status);
  }

  // What comes of it with one's own run, and with another's.
  Answer WithBoth(const std::function<Answer(const Target&)>& ask) {
    const std::string& name = names_[role_];
    const Answer own = ask({.run = EndedRun("greet", name.empty() ? "nobody" : name)});
    const Answer others = ask({.run = EndedRun("greet", "somebody-else")});
    if (own == others) return own;
    return absl::StrCat(own == "yes" ? "own" : own + " own",
                        others == "404" || others == "-" ? "" : ", else " + others);
  }

  // The cookie of one who has signed in with the token.
  Headers Cookie(const std::string& token) {
    if (token.empty()) return {};
    const HttpAnswer answer =
        Client()->Ask("POST", "/session", {{"Content-Type", "application/json"}},
                      "{\"token\":\"" + token + "\"}");
    EXPECT_EQ(answer.status, 200);
    const size_t begin = answer.header.find("jobtail-session=");
    EXPECT_NE(begin, std::string::npos) << answer.header;
    return {{"Cookie", answer.header.substr(begin, answer.header.find(';', begin) - begin)}};
  }

  std::string role_;                           // whose calls are made
  std::map<std::string, std::string> tokens_;  // by role, as the next
  std::map<std::string, std::string> names_;
  std::map<std::string, testing::KeyPair> pairs_;
  Headers cookie_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> tls_;
};

std::string Row(const std::string& first, const std::vector<std::string>& cells) {
  return absl::StrCat("| ", first, " | ", absl::StrJoin(cells, " | "), " |\n");
}

// A row's cells, made column by column: a role's calls come one after the other.
using Cells = std::vector<std::string>;

TEST_P(AccessTableTest, IsThatOfTheDocs) {
  const std::map<std::string, GrpcCall> calls = GrpcCalls();
  const auto* const service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      v1::JobService::service_full_name());
  std::map<std::string, const http::Route*> routes;
  for (const http::Route& each : http::Routes()) routes[std::string(each.rpc)] = &each;
  ASSERT_EQ(routes.size(), http::Routes().size()) << "two routes of one call";
  ASSERT_EQ(static_cast<int>(routes.size()), service->method_count());
  std::vector<Cells> rows(routes.size() + Pages().size() + StandardServices::kMethods.size());
  for (const std::string& role : Roles()) {
    Become(role);
    size_t row = 0;
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string name = service->method(i)->name();
      ASSERT_TRUE(calls.contains(name)) << name << ": no rule for this call; add it to this test";
      ASSERT_TRUE(routes.contains(name)) << name << " has no route";
      const http::Route& route = *routes[name];
      const Answer grpc =
          WithBoth([&](const Target& target) { return AskGrpc(calls.at(name), target); });
      EXPECT_EQ(WithBoth([&](const Target& target) {
                  return AskHttp(std::string(route.method), std::string(route.pattern), target,
                                 name);
                }),
                grpc)
          << name << " of " << role;
      rows[row++].push_back(grpc);
    }
    for (const Page& page : Pages()) {
      rows[row++].push_back(AskHttp(page.method, page.path, {.run = "none"}, ""));
    }
    for (const std::string_view method : StandardServices::kMethods) {
      rows[row++].push_back(AskStandard(method));
    }
  }
  std::string table = Row("call", Roles()) + Row("---", Cells(Roles().size(), "---"));
  size_t row = 0;
  for (int i = 0; i < service->method_count(); ++i) {
    const http::Route& route = *routes[service->method(i)->name()];
    table += Row(absl::StrCat("`", std::string(route.rpc), "`, `", std::string(route.method), " ",
                              std::string(route.pattern), "`"),
                 rows[row++]);
  }
  for (const Page& page : Pages()) {
    table += Row(absl::StrCat("`", page.method, " ", page.path, "`"), rows[row++]);
  }
  for (const std::string_view method : StandardServices::kMethods) {
    table += Row(absl::StrCat("`", std::string(method), "`"), rows[row++]);
  }

  std::ostringstream text;
  text << std::ifstream(JOBTAIL_DOCS "/security.md").rdbuf();
  const std::string docs = text.str();
  const std::string begin = "<!-- table: calls by role -->\n";
  const std::string end = "<!-- end of table -->";
  const size_t first = docs.find(begin);
  const size_t last = docs.find(end);
  ASSERT_TRUE(first != std::string::npos && last != std::string::npos);
  const size_t from = first + begin.size();
  if (std::getenv("JOBTAIL_WRITE_DOCS") && GetParam() == Way::kToken) {
    std::ofstream(JOBTAIL_DOCS "/security.md")
        << docs.substr(0, from) << table << docs.substr(last);
    return;
  }
  EXPECT_EQ(docs.substr(from, last - from), table)
      << "run this test with JOBTAIL_WRITE_DOCS=1, and look at what it has changed";
}

INSTANTIATE_TEST_SUITE_P(By, AccessTableTest,
                         ::testing::Values(Way::kToken, Way::kJwt, Way::kCookie, Way::kCertificate,
                                           Way::kSocket, Way::kProxy),
                         [](const auto& way) { return NameOf(way.param); });

}  // namespace
}  // namespace jobtail::e2e
